//! From flat result rows to a self-contained HTML page, Markdown and JSON

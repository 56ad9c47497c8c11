//! What can be held of the documents by a test: their links lead somewhere, and the code they show is code that runs.

use std::path::Path;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace")
}

#[test]
fn every_file_that_a_document_links_to_exists() {
    for name in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"] {
        let text = std::fs::read_to_string(root().join(name)).expect(name);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = link.split('#').next().unwrap_or_default();
            if !path.is_empty() && !path.contains("://") {
                assert!(root().join(path).exists(), "{name} links to {path}");
            }
        }
    }
}

/// The code that the README shows is compiled and run: it is the crates' own documentation test, word for word.
#[test]
fn the_readmes_first_example_is_the_facades_documentation_test() {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("README.md");
    let source = std::fs::read_to_string(root().join("crates/kohort/src/lib.rs")).expect("lib.rs");
    let tested: String = source
        .lines()
        .filter_map(|line| line.strip_prefix("//! ").or(line.strip_prefix("//!")))
        .map(|line| format!("{line}\n"))
        .collect();
    let mut shown = 0;
    for block in readme.split("```rust\n").skip(1).filter_map(|rest| rest.split("```").next()) {
        if block.contains("kohort::prelude") {
            assert!(tested.contains(block), "README shows code that no test runs:\n{block}");
            shown += 1;
        }
    }
    assert!(shown > 0, "the README shows how to use the crates");
}

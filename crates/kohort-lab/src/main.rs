//! The laboratory's command: `kohort-lab reproduce` and `kohort-lab data`.

fn main() -> std::process::ExitCode {
    kohort_lab::run(std::env::args_os())
}

//! Where the workspace is and what is in it, as `cargo metadata` tells it.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::process;

/// The workspace on disk.
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    /// The folder that cargo builds into, `target` unless the user set another.
    pub(crate) target: PathBuf,
    pub(crate) packages: Vec<Package>,
}

/// A member of the workspace.
pub(crate) struct Package {
    pub(crate) name: String,
    /// Names in `[dependencies]`; those for tests and build scripts are not here.
    pub(crate) dependencies: Vec<String>,
}

impl Workspace {
    pub(crate) fn find() -> Result<Self> {
        // The folder of this very manifest, fixed when xtask was compiled: independent of where it was called from.
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = here.parent().context("xtask has no parent folder")?;
        let mut command = cargo();
        command.args(["metadata", "--no-deps", "--offline", "--format-version", "1"]).current_dir(root);
        let text = process::read(&mut command)?;
        let value: Value = serde_json::from_str(&text).context("`cargo metadata` did not print JSON")?;
        Self::parse(&value).context("`cargo metadata` printed something unexpected")
    }

    fn parse(value: &Value) -> Option<Self> {
        let path = |key: &str| Some(PathBuf::from(value.get(key)?.as_str()?));
        let packages =
            value.get("packages")?.as_array()?.iter().map(Package::parse).collect::<Option<Vec<_>>>()?;
        Some(Self { root: path("workspace_root")?, target: path("target_directory")?, packages })
    }

    /// Cargo, started in the root of the workspace.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = cargo();
        command.current_dir(&self.root);
        command
    }

    /// `path` as the user meant it: relative to the folder that the command was typed in.
    pub(crate) fn user_path(path: &Path) -> Result<PathBuf> {
        std::path::absolute(path).with_context(|| format!("cannot make sense of the path {}", path.display()))
    }
}

impl Package {
    fn parse(value: &Value) -> Option<Self> {
        let name = value.get("name")?.as_str()?.to_string();
        let listed = value.get("dependencies")?.as_array()?;
        let normal = listed.iter().filter(|dependency| dependency.get("kind").is_none_or(Value::is_null));
        let dependencies =
            normal.map(|d| Some(d.get("name")?.as_str()?.to_string())).collect::<Option<Vec<_>>>()?;
        Some(Self { name, dependencies })
    }
}

/// The cargo that started us, so that a toolchain chosen with `+name` stays chosen.
fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_is_found_with_this_crate_in_it() {
        let workspace = Workspace::find().unwrap();
        assert!(workspace.root.join("xtask/Cargo.toml").is_file());
        let xtask = workspace.packages.iter().find(|package| package.name == "xtask").unwrap();
        assert!(xtask.dependencies.contains(&"clap".to_string()));
    }
}

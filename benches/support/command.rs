//! Other programs.

use tokio::process::Command;

use crate::Result;

/// Runs a command to its end, its output caught and shown where it fails.
pub async fn run(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(std::process::Stdio::null())
        .output()
        .await
        .map_err(|error| format!("{:?}: {error}", command.as_std().get_program()))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    let program = command.as_std().get_program().to_string_lossy();
    Err(format!(
        "{program} ended with {}:\n{}{}",
        output.status,
        text(&output.stdout),
        text(&output.stderr)
    )
    .into())
}

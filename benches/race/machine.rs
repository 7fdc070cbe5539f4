//! The machine, and everybody who takes part, for whoever reads the numbers.

use std::path::Path;

use bollard::Docker;
use tokio::process::Command;

use crate::Result;
use crate::arguments::Arguments;
use crate::record::Machine;
use crate::support::command::run;
use crate::support::machine;

/// Asks for all of it.
pub async fn describe(arguments: &Arguments, docker: &Docker) -> Result<Machine> {
    let info = docker.info().await?;
    let word = |text: Option<String>| text.unwrap_or_else(|| "unknown".to_owned());
    let mut seatbox = Vec::new();
    for named in &arguments.seatboxes {
        let version = run(Command::new(&named.path).arg("--version")).await?;
        seatbox.push(format!("{}: {}", named.name, version.trim()));
    }
    Ok(Machine {
        began: machine::now(),
        arguments: machine::arguments_without(&["--compose", "--out", "--into"]),
        processors: format!("{} × {}", info.ncpu.unwrap_or_default(), machine::model()?),
        memory_gib: u64::try_from(info.mem_total.unwrap_or_default())? >> 30,
        system: format!(
            "{}, Linux {}",
            word(info.operating_system),
            // What follows the number is whoever built it.
            word(info.kernel_version)
                .split('-')
                .next()
                .unwrap_or_default()
        ),
        engine: format!(
            "Docker {}, {}, cgroup v{}",
            word(info.server_version),
            word(info.driver),
            info.cgroup_version
                .map_or("?".to_owned(), |v| v.to_string())
        ),
        compose: compose(&arguments.compose).await,
        seatbox: seatbox.join(", "),
    })
}

async fn compose(program: &Path) -> String {
    match run(Command::new(program).args(["version", "--short"])).await {
        Ok(version) => version.trim().to_owned(),
        Err(_) => "none".to_owned(),
    }
}

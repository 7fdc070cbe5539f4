//! The machine, and everybody who takes part, for whoever reads the numbers.

use tokio::process::Command;

use crate::Result;
use crate::arguments::Arguments;
use crate::record::Machine;
use crate::support::command::run;
use crate::support::machine;

/// Prints the versions of the packages that its arguments name, those that are there.
const VERSIONS: &str = "
import sys
from importlib.metadata import version
print(', '.join(f'{name} {version(name)}' for name in sys.argv[1:]))
";

/// Asks for all of it.
pub async fn describe(arguments: &Arguments) -> Result<Machine> {
    let seatbox = arguments.seatbox();
    let version = run(Command::new(&seatbox.path).arg("--version")).await?;
    // Cargo puts what it builds into a directory of the profile's name.
    let profile = seatbox
        .path
        .parent()
        .and_then(|directory| directory.file_name());
    let profile = profile.map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let mut peers = Command::new(&arguments.python);
    peers.args(["-c", VERSIONS, "boto3", "botocore", "ansible"]);
    Ok(Machine {
        began: machine::now(),
        arguments: machine::arguments_without(&[
            "--python",
            "--out",
            "--into",
            "--trace",
            "--seatbox",
        ]),
        processors: format!(
            "{} × {}",
            std::thread::available_parallelism()?,
            machine::model()?
        ),
        peers: run(&mut peers).await?.trim().to_owned(),
        emulator: emulator(),
        seatbox: format!("{}: {} ({profile})", seatbox.name, version.trim()),
    })
}

/// As scripts/moto.txt, by which it is installed, has it.
fn emulator() -> String {
    let wanted = include_str!("../../scripts/moto.txt");
    let moto = wanted.lines().find_map(|line| line.strip_prefix("moto"));
    let version = moto.and_then(|line| line.split_once("=="));
    format!("moto {}", version.map_or("?", |(_, version)| version))
}

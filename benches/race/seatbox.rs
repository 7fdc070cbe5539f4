//! Seatbox, as anybody runs it.

use std::path::PathBuf;
use std::sync::Arc;

use seatbox::model::Environment;
use tokio::process::Command;

use crate::Result;
use crate::setting::Setting;
use crate::support::command::run;

/// The side's name in environments: whatever the build is called, there is one at a time.
const SIDE: &str = "seats";

/// One build of Seatbox.
#[derive(Clone)]
pub struct Seatbox {
    setting: Arc<Setting>,
    program: PathBuf,
}

impl Seatbox {
    /// That build.
    pub fn new(setting: &Arc<Setting>, program: PathBuf) -> Self {
        Self {
            setting: Arc::clone(setting),
            program,
        }
    }

    /// Its environment.
    pub fn environment(&self) -> Result<Arc<Environment>> {
        self.setting.environment(SIDE)
    }

    fn command(&self, verb: &str) -> Command {
        self.setting.seatbox(&self.program, &[verb], SIDE)
    }

    /// Gets the images that the engine has not.
    pub async fn fetch_images(&self) -> Result {
        let mut command = self.command("images");
        run(command.arg("--fetch")).await.map(drop)
    }

    /// Brings up seats, all of them where none are named, and waits until they are ready.
    pub async fn up(&self, seats: Option<&str>, host: Option<&str>) -> Result {
        let mut command = self.command("up");
        if let Some(seats) = seats {
            command.args(["--seats", seats]);
        }
        if let Some(host) = host {
            command
                .env("DOCKER_HOST", host)
                .env_remove("DOCKER_CONTEXT");
        }
        run(&mut command).await.map(drop)
    }

    /// Makes one seat anew.
    pub async fn reset(&self, seat: u32) -> Result {
        let mut command = self.command("reset");
        run(command.args(["--seat", &seat.to_string()]))
            .await
            .map(drop)
    }

    /// Takes everything away.
    pub async fn down(&self) -> Result {
        run(&mut self.command("down")).await.map(drop)
    }
}

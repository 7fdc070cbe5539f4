//! Docker Compose, with a project a seat, written by `seatbox export`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::stream::{self, StreamExt as _};
use seatbox::model::Environment;
use tokio::process::Command;

use crate::Result;
use crate::setting::Setting;
use crate::support::command::run;

/// The side's name in environments.
const SIDE: &str = "compose";

/// Docker Compose and its projects.
#[derive(Clone)]
pub struct Compose {
    setting: Arc<Setting>,
    program: PathBuf,
    environment: Arc<Environment>,
}

impl Compose {
    /// Writes a project for every seat.
    pub async fn new(setting: &Arc<Setting>, program: &Path, seatbox: &Path) -> Result<Self> {
        let environment = setting.environment(SIDE)?;
        for seat in setting.numbers() {
            let mut export = setting.seatbox(seatbox, &["export", "compose"], SIDE);
            export
                .args(["--seat", &seat.get().to_string()])
                .arg("--directory")
                .arg(directory(setting, seat.get()));
            run(&mut export).await?;
        }
        Ok(Self {
            setting: Arc::clone(setting),
            program: program.to_owned(),
            environment,
        })
    }

    /// Writes what Compose lays over each project: the time between two checks.
    pub fn check_every(&self, interval: &str) -> Result {
        let mut text = String::from("services:\n");
        for service in self.environment.stack.services.keys() {
            text.push_str(&format!(
                "  {service}:\n    healthcheck:\n      interval: {interval}\n"
            ));
        }
        std::fs::write(self.setting.path("checks.yaml"), text)?;
        Ok(())
    }

    /// Its environment.
    pub fn environment(&self) -> Arc<Environment> {
        Arc::clone(&self.environment)
    }

    fn command(&self, seat: u32) -> Command {
        let directory = directory(&self.setting, seat);
        let mut command = self.setting.plain(&self.program);
        command
            .arg("--project-directory")
            .arg(&directory)
            .arg("--file")
            .arg(directory.join("compose.yaml"))
            .arg("--file")
            .arg(self.setting.path("checks.yaml"));
        command
    }

    /// `up -d --wait` of one project.
    pub async fn up_one(&self, seat: u32) -> Result {
        let mut command = self.command(seat);
        run(command.args(["up", "--detach", "--wait"]))
            .await
            .map(drop)
    }

    /// `down -v` of one project, with those arguments.
    pub async fn down_one(&self, seat: u32, arguments: &[&str]) -> Result {
        let mut command = self.command(seat);
        run(command.args(["down", "--volumes"]).args(arguments))
            .await
            .map(drop)
    }

    /// Brings up all projects, so many at once.
    pub async fn up(&self, width: usize) -> Result {
        let seats = stream::iter(1..=self.setting.seats).map(|seat| self.up_one(seat));
        all(seats.buffer_unordered(width).collect().await)
    }

    /// Takes all projects away, so many at once.
    pub async fn down(&self, width: usize) -> Result {
        let seats = stream::iter(1..=self.setting.seats)
            .map(|seat| self.down_one(seat, &["--timeout", "0"]));
        all(seats.buffer_unordered(width).collect().await)
    }
}

fn all(results: Vec<Result>) -> Result {
    results.into_iter().collect()
}

fn directory(setting: &Setting, seat: u32) -> PathBuf {
    setting.path(&format!("compose-{seat}"))
}

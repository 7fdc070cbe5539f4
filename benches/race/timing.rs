//! How long something takes, and what the machine does meanwhile.

use std::time::Instant;

use crate::Result;

/// Ticks in which Linux tells processor time to programs, a second (`USER_HZ`, the same on every
/// machine that Rust runs on).
const TICKS: f64 = 100.0;

/// What something took.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// On the clock.
    pub seconds: f64,
    /// On all processors together, whoever used them.
    pub cpu_seconds: f64,
}

/// Times some work.
pub async fn timed<T>(work: impl Future<Output = Result<T>>) -> Result<(Timing, T)> {
    let clock = Clock::start()?;
    let value = work.await?;
    Ok((clock.timing()?, value))
}

/// A clock that runs.
pub struct Clock {
    began: Instant,
    busy: f64,
}

impl Clock {
    /// Starts one.
    pub fn start() -> Result<Self> {
        let busy = busy()?;
        Ok(Self {
            began: Instant::now(),
            busy,
        })
    }

    /// What it shows.
    pub fn timing(&self) -> Result<Timing> {
        let seconds = self.began.elapsed().as_secs_f64();
        Ok(Timing {
            seconds,
            cpu_seconds: busy()? - self.busy,
        })
    }
}

/// The time that processors were not idle since the machine started (proc(5), /proc/stat: user,
/// nice, system, idle, iowait, irq, softirq).
fn busy() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/stat")?;
    let numbers: Vec<f64> = stat
        .lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(1)
        .map(|number| number.parse().unwrap_or(0.0))
        .collect();
    let ticks: f64 = [0, 1, 2, 5, 6]
        .iter()
        .filter_map(|place| numbers.get(*place))
        .sum();
    Ok(ticks / TICKS)
}

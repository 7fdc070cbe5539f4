//! When whoever looks on looks again: soon after what may be done soon, and then less and less often.

use std::time::Duration;

use tokio::time::Instant;

/// How long the first look waits for others who want one: seats are asked for at the same time, and one
/// look tells of all of them.
const GATHERING: Duration = Duration::from_millis(400);
/// The pause between the first two looks, which doubles.
const SHORTEST: Duration = Duration::from_millis(500);
/// The longest pause. An instance takes some 20 s to run, a task about a minute.
const LONGEST: Duration = Duration::from_secs(2);
/// After so long without a look, the next one is a first one again.
const REST: Duration = Duration::from_secs(10);

/// When a look was made, and how long until the next one.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    begun: Instant,
    pause: Duration,
}

impl Pace {
    /// That of a look at this moment, after that one.
    pub fn after(last: Option<Self>, begun: Instant) -> Self {
        let pause = match last.filter(|last| !last.is_over(begun)) {
            Some(last) => (last.pause * 2).min(LONGEST),
            None => SHORTEST,
        };
        Self { begun, pause }
    }

    /// When the next look is to be made that is wanted at `now`.
    pub fn next(last: Option<Self>, now: Instant) -> Instant {
        match last.filter(|last| !last.is_over(now)) {
            Some(last) => last.begun + last.pause,
            None => now + GATHERING,
        }
    }

    /// When the look began.
    pub fn begun(self) -> Instant {
        self.begun
    }

    fn is_over(self, now: Instant) -> bool {
        now.saturating_duration_since(self.begun) > REST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_become_rarer_and_begin_anew_after_a_rest() {
        let start = Instant::now();
        let mut last = None;
        let mut now = start;
        let mut moments = Vec::new();
        for _ in 0..5 {
            now = Pace::next(last, now).max(now);
            moments.push((now - start).as_millis());
            last = Some(Pace::after(last, now));
        }
        assert_eq!(moments, [400, 900, 1900, 3900, 5900]);
        now += REST * 2;
        assert_eq!(Pace::next(last, now), now + GATHERING);
        assert_eq!(Pace::after(last, now).pause, SHORTEST);
    }
}

//! When whoever looks on looks again: soon after what may be done soon, and then less and less often.

use std::time::Duration;

use tokio::time::Instant;

/// How long the first look waits for others who want one: seats are asked for at the same time, and one
/// look tells of all of them.
const GATHERING: Duration = Duration::from_millis(200);
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
            Some(last) => (last.begun + last.pause).max(now),
            None => now + GATHERING,
        }
    }

    /// The same look, with somebody new who waits for the next one: that comes as soon as after a first
    /// one, where a look is one call, and later by as many calls as it is.
    #[must_use]
    pub fn anew(self, calls: usize) -> Self {
        let calls = u32::try_from(calls).unwrap_or(u32::MAX);
        let pause = SHORTEST.saturating_mul(calls).min(self.pause);
        Self { pause, ..self }
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
        assert_eq!(moments, [200, 700, 1700, 3700, 5700]);
        now += REST * 2;
        assert_eq!(Pace::next(last, now), now + GATHERING);
        assert_eq!(Pace::after(last, now).pause, SHORTEST);
    }

    #[test]
    fn somebody_new_is_looked_at_soon_and_later_where_a_look_is_many_calls() {
        let begun = Instant::now();
        let last = Pace {
            begun,
            pause: LONGEST,
        };
        let now = begun + Duration::from_millis(100);
        let next = |calls| Pace::next(Some(last.anew(calls)), now) - begun;
        assert_eq!(next(1), SHORTEST);
        assert_eq!(next(3), SHORTEST * 3);
        assert_eq!(next(100), LONGEST);
        // And it is at once where the last look is that long ago.
        let now = begun + SHORTEST * 2;
        assert_eq!(Pace::next(Some(last.anew(1)), now), now);
        assert_eq!(Pace::after(Some(last.anew(1)), now).pause, SHORTEST * 2);
    }
}

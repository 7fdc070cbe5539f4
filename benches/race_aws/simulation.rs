//! How long AWS's buckets make a plan take: with what Seatbox leaves to others, and at best.

use jiff::Timestamp;
use seatbox::environment::{self, Overrides};
use seatbox::model::SeatSet;
use seatbox::provider::aws::{forecast, offline};

use crate::Result;
use crate::arguments::Arguments;
use crate::record::{Record, Simulated};
use crate::setting::Setting;

/// For how many seats.
const SEATS: [u32; 4] = [23, 200, 1000, 10_000];

/// Simulates all of them.
pub fn run(arguments: &Arguments, record: &mut Record) -> Result {
    for &place in &arguments.places {
        for seats in SEATS {
            let setting = Setting::new(place, seats)?;
            let now = Timestamp::now();
            let overrides = Overrides::new([], now);
            let loaded = environment::load(&setting.path("seatbox.yaml"), &overrides)
                .map_err(|problems| problems.render(false, 100))?;
            let environment = loaded.environment;
            let selected = environment.selected(&SeatSet::all());
            let plan = offline::plan(&environment, &selected, now)?;
            let capacity = environment.ecs.capacity;
            record.simulated(Simulated {
                place,
                seats,
                expected: forecast::forecast(&plan, capacity).as_secs_f64(),
                at_best: forecast::at_best(&plan, capacity).as_secs_f64(),
            })?;
        }
    }
    Ok(())
}

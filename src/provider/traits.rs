//! What a provider must be able to do.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::Preflight;
use crate::engine::{Apply, Failure};
use crate::expiry::{Clocks, Expires};
use crate::model::seat::Owner;
use crate::model::view::SeatView;
use crate::model::{EnvironmentName, SeatNumber, Service, ServiceName};
use crate::plan::{Found, Mode, Plan, Scheme};
use crate::provider::labels::Ownership;

/// A place where seats live. It looks, says what is wanted there, and makes the calls of a plan
/// ([`Apply`]). Converging and removing are written against this trait alone.
pub trait Provider: Apply<Self::Scheme> {
    /// Its kinds of resources and steps.
    type Scheme: Scheme;
    /// What one look finds.
    type Observed: Send + Sync;

    /// One look at everything of ours, of every environment.
    fn observe(&self) -> impl Future<Output = Result<Self::Observed, Failure>> + Send;

    /// Another look at what seats of the environment live in, once a plan has been carried out: what
    /// else was `known` need not be looked at, and may be old by now.
    fn look_again(
        &self,
        _known: &Self::Observed,
    ) -> impl Future<Output = Result<Self::Observed, Failure>> + Send {
        self.observe()
    }

    /// The plan that brings `seats` of the environment to what its file says. Sources of images
    /// and the like may be asked, and nothing is changed.
    fn converge(
        &self,
        observed: &Self::Observed,
        seats: &[SeatNumber],
        mode: &Mode,
    ) -> impl Future<Output = Result<Plan<Self::Scheme>, Failure>> + Send;

    /// Looks whether what `plan` creates can be had at all, before the first of it is created. A plan
    /// that creates nothing asks for nothing.
    fn preflight(
        &self,
        _observed: &Self::Observed,
        _plan: &Plan<Self::Scheme>,
    ) -> impl Future<Output = Preflight> + Send {
        async { Preflight::default() }
    }

    /// How long the calls of `plan` are expected to take where the place takes only so many in a time.
    /// What they start and wait for comes on top.
    fn expected(&self, _plan: &Plan<Self::Scheme>) -> Option<Duration> {
        None
    }

    /// All that is ours in `observed`, with whose it is and when it expires.
    fn existing(&self, observed: &Self::Observed) -> Vec<Existing<Self::Scheme>>;

    /// Looks closer at what of `seats` one look does not tell enough of: makes the checks once of
    /// those that are not known to be ready yet, asks why others ended, and notes it in `observed`.
    fn look_closer(
        &self,
        observed: &mut Self::Observed,
        seats: &[SeatNumber],
    ) -> impl Future<Output = ()> + Send;

    /// How `seats` of the environment are.
    fn seats(&self, observed: &Self::Observed, seats: &[SeatNumber]) -> Vec<SeatView>;

    /// Whatever carries our labels, of these environments or of all where none is named, by a list
    /// that knows nothing of kinds: what [`Provider::observe`] leaves out shows there. What is gone
    /// may be on it for a while. `None` where the place has no such list. What stumbles is asked
    /// again before it fails.
    fn census(
        &self,
        _: &[EnvironmentName],
    ) -> impl Future<Output = Result<Option<Vec<Listed>>, Failure>> + Send {
        async { Ok(None) }
    }

    /// Those of `listed` that are there still, by what is asked of each of them, again where that
    /// stumbles.
    fn still_there(
        &self,
        listed: Vec<Listed>,
    ) -> impl Future<Output = Result<Vec<Listed>, Failure>> + Send {
        async { Ok(listed) }
    }
}

/// What organizers and participants do with seats, once there are some.
pub trait Operate: Provider {
    /// What the clock that all who use the place share says, and this machine's. It is asked once,
    /// however long the run takes, and whatever becomes of the clocks meanwhile.
    fn clocks(&self) -> impl Future<Output = Result<Clocks, Failure>> + Send;

    /// What a person should know of the clocks and of the environment's end.
    fn end_notices(&self, observed: &Self::Observed) -> Vec<String>;

    /// Has `environment` end at `end`, where it would end earlier, and touches nothing of its seats.
    fn extend(
        &self,
        environment: &EnvironmentName,
        end: Timestamp,
        observed: &Self::Observed,
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Removes what extensions of `environment` left and what says nothing any more; all of it where
    /// nothing else of the environment is left.
    fn tidy(
        &self,
        environment: &EnvironmentName,
        observed: &Self::Observed,
    ) -> impl Future<Output = ()> + Send;

    /// Runs a command in a service of a seat, with this process's own input and output, and gives its
    /// exit code.
    fn attach(
        &self,
        seat: SeatNumber,
        service: &Service,
        argv: Vec<String>,
    ) -> impl Future<Output = Result<i64, Failure>> + Send;

    /// Writes what services wrote to `out`, each line with its seat and service before it. Those that
    /// can't be read are in the answer, in words; the others' lines are written all the same.
    fn logs(
        &self,
        observed: &Self::Observed,
        wanted: &Logs,
        out: &mut (impl Write + Send),
    ) -> impl Future<Output = Result<Logged, Failure>> + Send;
}

/// Which lines are wanted, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Logs {
    /// Of these seats.
    pub seats: Vec<SeatNumber>,
    /// Of this service of theirs, or of all.
    pub service: Option<ServiceName>,
    /// Go on with the lines to come, until every service has ended.
    pub follow: bool,
    /// Of the lines that are there, only so many of each service: the last ones.
    pub tail: Option<u64>,
    /// Only lines from this moment on, to the second.
    pub since: Option<Timestamp>,
    /// Each line with the moment when it was written.
    pub timestamps: bool,
}

/// What came of writing lines.
#[derive(Debug, Default)]
pub struct Logged {
    /// How many services there were to read from.
    pub sources: usize,
    /// Those that could not be read, or not to their end, in words. When following, they were told.
    pub failures: Vec<String>,
    /// What the operating system says, where the lines could not be written.
    pub unwritten: Option<std::io::Error>,
}

/// Something that carries our labels, as a list tells of it that knows nothing of kinds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// What the place calls it.
    pub id: Arc<str>,
    /// What it is, in the place's own word.
    pub kind: String,
    /// What its labels say of it.
    pub ownership: Ownership,
}

/// Something of ours that exists.
#[derive(Debug, Clone)]
pub struct Existing<S: Scheme> {
    /// The environment it belongs to.
    pub environment: EnvironmentName,
    /// Whose it is there.
    pub owner: Owner,
    /// What its labels say of when it may be swept away.
    pub expires: Option<Expires>,
    /// The fingerprint of the event key that its secrets come from, where it has any.
    pub key: Option<String>,
    /// The resource.
    pub resource: Found<S>,
}

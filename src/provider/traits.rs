//! What a provider must be able to do.

use crate::engine::{Apply, Failure};
use crate::expiry::Expires;
use crate::model::seat::Owner;
use crate::model::view::SeatView;
use crate::model::{EnvironmentName, SeatNumber};
use crate::plan::{Found, Mode, Plan, Scheme};

/// A place where seats live. It looks, says what is wanted there, and makes the calls of a plan
/// ([`Apply`]). The verbs are written against this trait alone.
pub trait Provider: Apply<Self::Scheme> {
    /// Its kinds of resources and steps.
    type Scheme: Scheme;
    /// What one look finds.
    type Observed: Send + Sync;

    /// One look at everything of ours, of every environment.
    fn observe(&self) -> impl Future<Output = Result<Self::Observed, Failure>> + Send;

    /// The plan that brings `seats` of the environment to what its file says. Sources of images
    /// and the like may be asked, and nothing is changed.
    fn converge(
        &self,
        observed: &Self::Observed,
        seats: &[SeatNumber],
        mode: &Mode,
    ) -> impl Future<Output = Result<Plan<Self::Scheme>, Failure>> + Send;

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
    /// The resource.
    pub resource: Found<S>,
}

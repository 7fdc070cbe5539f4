//! AWS as a provider.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::OnceCell;
use tokio::time::{Instant, sleep};

use super::apply::{Applier, Asked};
use super::desired::{Surroundings, desired};
use super::ec2::{self, Image, Launcher, Watch};
use super::ecs::{self, TaskWatch};
use super::forecast::forecast;
use super::found::{found, resource, shared};
use super::ids::Ids;
use super::observe::{self, Detail, Observed, Reach, Thing};
use super::quotas::Quotas;
use super::scheme::Aws;
use super::{Session, census, network, preflight, status, tags};
use crate::engine::{Apply, Failure, Progress};
use crate::expiry::seconds_of;
use crate::model::aws::MachineImage;
use crate::model::environment::ProviderKind;
use crate::model::view::SeatView;
use crate::model::{Environment, EnvironmentName, SeatNumber};
use crate::plan::{self, Action, Found, Mode, Plan};
use crate::provider::workspace::WorkspaceSource;
use crate::provider::{Existing, Listed, Operate as _, Preflight, Provider, notices};
use crate::secret::EventKey;

/// The pause between two looks, where one missed what is there.
const PAUSE: Duration = Duration::from_secs(1);

/// Seats on AWS.
pub struct AwsProvider {
    pub(super) session: Session,
    pub(super) kind: ProviderKind,
    pub(super) applier: Applier,
    zones: OnceCell<Vec<Arc<str>>>,
    allowance: OnceCell<preflight::Allowance>,
    begun: Instant,
}

impl AwsProvider {
    /// A provider for one environment, or for none where nothing is to be created. What instances show
    /// to be known by is kept in the file `known_hosts`.
    pub fn new(
        session: Session,
        kind: ProviderKind,
        environment: Option<Arc<Environment>>,
        key: Option<Arc<EventKey>>,
        known_hosts: PathBuf,
    ) -> Self {
        Self {
            applier: Applier {
                session: session.clone(),
                environment,
                key,
                ids: Ids::default(),
                launcher: Launcher::default(),
                quotas: Quotas::default(),
                watch: Watch::default(),
                tasks: TaskWatch::default(),
                known_hosts,
                workspace: WorkspaceSource::default(),
                asked: Asked::default(),
            },
            session,
            kind,
            zones: OnceCell::new(),
            allowance: OnceCell::new(),
            begun: Instant::now(),
        }
    }

    pub(super) fn environment(&self) -> &Environment {
        self.applier
            .environment
            .as_deref()
            .expect("verbs that speak of seats have an environment")
    }

    /// The time, by AWS's clock: lifetimes count from it.
    pub(super) fn now(&self) -> Timestamp {
        let now = self.session.clocks.engine;
        let since = SignedDuration::try_from(self.begun.elapsed()).unwrap_or_default();
        now.saturating_add(since).unwrap_or(now)
    }

    /// A seat that is brought up in parts, or put right, ends when the rest of its environment
    /// does.
    fn expires(&self, observed: &Observed) -> Timestamp {
        let environment = self.environment();
        observed
            .end(&environment.name)
            .filter(|end| *end > self.now())
            .unwrap_or_else(|| environment.lifetime.expires(self.now()))
    }

    /// The zones of the environment's subnets: those that it has, and as many others as it wants.
    async fn zones(&self, observed: &Observed) -> Result<Vec<Arc<str>>, Failure> {
        let environment = self.environment();
        let count = usize::from(environment.aws.zones);
        let mut known: Vec<Arc<str>> = observed
            .of(&environment.name)
            .filter_map(|thing| match &thing.detail {
                Detail::Subnet(subnet) => Some((subnet.range, Arc::clone(&subnet.zone))),
                _ => None,
            })
            .map(|(_, zone)| zone)
            .collect();
        known.sort();
        known.dedup();
        if known.len() >= count {
            known.truncate(count);
            return Ok(known);
        }
        let types: &[String] = match self.kind {
            ProviderKind::Ec2 => &environment.ec2.types,
            _ => &[],
        };
        let offered = || network::offered(&self.session, types, count);
        let offered = async { self.zones.get_or_try_init(offered).await };
        // A network to be made is one for seats to be made.
        let is_new = known.is_empty() && self.zones.get().is_none();
        let ahead = async {
            if is_new {
                self.ask_ahead(observed).await;
            }
            Ok(())
        };
        let (offered, ()) = tokio::try_join!(offered, ahead)?;
        for zone in offered {
            if known.len() < count && !known.contains(zone) {
                known.push(Arc::clone(zone));
            }
        }
        known.sort();
        Ok(known)
    }

    /// Asks what the preflight will want to know of seats.
    async fn ask_ahead(&self, observed: &Observed) {
        let image = async {
            match self.kind {
                // Whoever launches asks again where this fails, and tells why.
                ProviderKind::Ec2 => self.find_image(observed).await.ok(),
                _ => None,
            }
        };
        tokio::join!(self.allowance(), image);
    }

    async fn allowance(&self) -> &preflight::Allowance {
        let ask = || preflight::ask(&self.session, self.environment());
        self.allowance.get_or_init(ask).await
    }

    async fn find_image(&self, observed: &Observed) -> Result<&Image, Failure> {
        let named = self.image(observed);
        self.applier.launcher.image(&self.session, &named).await
    }

    /// The image of the environment's instances: its id, where a look has read that.
    fn image(&self, observed: &Observed) -> MachineImage {
        let id = observed.image.clone().map(MachineImage::Id);
        id.unwrap_or_else(|| self.environment().ec2.image.clone())
    }

    /// What there is, with the seats as they are now.
    async fn look_at_seats(&self, known: &Observed) -> Result<Observed, Failure> {
        let name = &self.environment().name;
        let seats = match self.kind {
            ProviderKind::Ecs => ecs::observe_tasks(&self.session, name).await?,
            _ => ec2::observe(&self.session, &tags::of(Some(name)), Reach::Instances).await?,
        };
        let is_shared = |thing: &&Thing| thing.instance().is_none() && thing.task().is_none();
        let mut things: Vec<Thing> = known.things.iter().filter(is_shared).cloned().collect();
        things.extend(seats);
        Ok(Observed {
            things,
            all_vpcs: known.all_vpcs,
            image: known.image.clone(),
        })
    }

    /// A look that misses nothing which this run has launched: lists may lag behind, in one look and not
    /// in the one before.
    async fn whole<F: Future<Output = Result<Observed, Failure>>>(
        &self,
        look: impl Fn() -> F,
    ) -> Result<Observed, Failure> {
        loop {
            let observed = look().await?;
            if !self.applier.launcher.launched.is_missed_by(&observed) {
                return Ok(observed);
            }
            tokio::select! {
                () = sleep(PAUSE) => {}
                () = self.session.cancel.cancelled() => return Ok(observed),
            }
        }
    }

    fn notices(&self, observed: &Observed) -> Vec<String> {
        let environment = self.environment();
        let mut notices = self.end_notices(observed);
        if self.expires(observed) <= self.now() {
            notices.push(format!(
                "by AWS's clock it is {}: seats that are made now have expired already",
                seconds_of(self.now())
            ));
        }
        let own = observed
            .of(&environment.name)
            .filter(|thing| thing.is_alive());
        let seats = own.filter_map(|thing| thing.ownership.owner.seat());
        notices.extend(notices::beyond(environment, seats));
        notices
    }
}

impl Apply<Aws> for AwsProvider {
    async fn apply(&self, action: &Action<Aws>, progress: &Progress) -> Result<(), Failure> {
        self.applier.apply(action, progress).await
    }

    async fn apply_together(
        &self,
        actions: &[&Action<Aws>],
        progress: &Progress,
    ) -> Result<Vec<Result<(), Failure>>, Failure> {
        self.applier.apply_together(actions, progress).await
    }
}

impl Provider for AwsProvider {
    type Scheme = Aws;
    type Observed = Observed;

    async fn observe(&self) -> Result<Observed, Failure> {
        let environment = self.applier.environment.as_deref();
        let reach = match environment {
            Some(_) if self.kind == ProviderKind::Ecs => Reach::Tasks,
            Some(_) => Reach::Instances,
            None => Reach::Everything,
        };
        let image = match environment.map(|environment| &environment.ec2.image) {
            Some(MachineImage::Parameter(name)) if reach == Reach::Instances => Some(&**name),
            _ => None,
        };
        let name = environment.map(|environment| &environment.name);
        self.whole(|| observe::observe(&self.session, name, reach, image))
            .await
    }

    async fn look_again(&self, known: &Observed) -> Result<Observed, Failure> {
        self.whole(|| self.look_at_seats(known)).await
    }

    async fn converge(
        &self,
        observed: &Observed,
        seats: &[SeatNumber],
        mode: &Mode,
    ) -> Result<Plan<Aws>, Failure> {
        let environment = self.environment();
        let zones = self.zones(observed).await?;
        let key = self.applier.key.as_ref().map(|key| key.fingerprint());
        let wanted = desired(
            environment,
            seats,
            &Surroundings {
                account: &self.session.account(),
                observed,
                zones: &zones,
                key: key.as_deref().unwrap_or_default(),
                expires: self.expires(observed),
            },
        )?;
        let mut exists = wanted.found;
        exists.extend(shared(environment, observed));
        let in_scope = |seat| seats.contains(&seat);
        let keeps = |found: &Found<Aws>| {
            let wanted = wanted.desired.iter().find(|wanted| wanted.key == found.key);
            wanted.is_some_and(|wanted| !mode.replaces(wanted, found))
        };
        exists.extend(found(environment, observed, in_scope, keeps));
        self.applier.ids.clear();
        self.applier.watch.forget();
        for found in &exists {
            self.applier
                .ids
                .note(found.key.clone(), Arc::clone(&found.id));
        }
        let mut plan = plan::converge(&wanted.desired, exists, mode);
        plan.seats = seats.to_vec();
        plan.notices = self.notices(observed);
        plan.notices.extend(wanted.notices);
        Ok(plan)
    }

    async fn preflight(&self, observed: &Observed, plan: &Plan<Aws>) -> Preflight {
        let environment = self.environment();
        let session = &self.session;
        // Zones that were chosen for their offers need no second look.
        let chosen = self.zones.get();
        let zones = self.zones(observed).await.unwrap_or_default();
        let zones: Vec<Arc<str>> = zones
            .into_iter()
            .filter(|zone| !chosen.is_some_and(|chosen| chosen.contains(zone)))
            .collect();
        let around = preflight::Surroundings {
            session,
            environment,
            zones: &zones,
            vpcs: observed.all_vpcs,
        };
        let need = preflight::Need::of(plan);
        preflight::run(around, &need, self.allowance(), self.find_image(observed)).await
    }

    fn expected(&self, plan: &Plan<Aws>) -> Option<Duration> {
        Some(forecast(plan, self.environment().ecs.capacity))
    }

    fn existing(&self, observed: &Observed) -> Vec<Existing<Aws>> {
        let alive = observed.things.iter().filter(|thing| thing.is_alive());
        alive
            .map(|thing| Existing {
                environment: thing.ownership.environment.clone(),
                owner: thing.ownership.owner,
                expires: thing.ownership.expires.clone(),
                key: thing.ownership.key.clone(),
                resource: resource(thing),
            })
            .collect()
    }

    async fn look_closer(&self, _: &mut Observed, _: &[SeatNumber]) {}

    fn seats(&self, observed: &Observed, seats: &[SeatNumber]) -> Vec<SeatView> {
        status::seats(self.environment(), observed, seats)
    }

    async fn census(
        &self,
        environments: &[EnvironmentName],
    ) -> Result<Option<Vec<Listed>>, Failure> {
        let listed = census::census(&self.session, environments).await?;
        Ok(Some(listed))
    }

    async fn still_there(&self, listed: Vec<Listed>) -> Result<Vec<Listed>, Failure> {
        census::still_there(&self.session, listed).await
    }
}

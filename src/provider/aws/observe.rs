//! One look at what of ours exists in an account's region, by tags alone.

use std::sync::Arc;

use jiff::Timestamp;

use super::claim::{self, Claims};
use super::network::Foundation;
use super::scheme::AwsKind;
use super::tags::{self, Tag};
use super::{Session, ec2, ecs, network, parameters};
use crate::engine::Failure;
use crate::expiry::Ends;
use crate::model::EnvironmentName;
use crate::provider::labels::Ownership;

/// What of ours exists.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// Everything, whatever it is.
    pub things: Vec<Thing>,
    /// How many VPCs the region has, whosever they are: they count in one quota. Only of a look at one
    /// environment.
    pub all_vpcs: u64,
    /// The image that the environment's parameter names, where that could be read.
    pub image: Option<String>,
}

/// Something of ours.
#[derive(Debug, Clone)]
pub struct Thing {
    /// What it is.
    pub kind: AwsKind,
    /// What AWS calls it.
    pub id: Arc<str>,
    /// What our tags say of it.
    pub ownership: Ownership,
    /// What else is to be known of it.
    pub detail: Detail,
}

/// What is to be known of some kinds of things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Detail {
    /// Nothing more.
    None,
    /// Of a claim: what it says.
    Claim(String),
    /// Of a VPC.
    Vpc(network::Vpc),
    /// Of a gateway: the VPC that it is attached to.
    Gateway(Option<Arc<str>>),
    /// Of a subnet.
    Subnet(network::Subnet),
    /// Of a security group.
    Group(network::Group),
    /// Of a log group: for how many days it keeps what is written to it.
    LogGroup(Option<i32>),
    /// Of a role.
    Role {
        /// Whether it may do anything yet.
        has_policy: bool,
    },
    /// Of a task.
    Task(Box<ecs::Task>),
    /// Of an instance.
    Instance(ec2::Instance),
}

/// How much is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// What seats are made of that are instances.
    Instances,
    /// What seats are made of that are tasks.
    Tasks,
    /// All that may be left of any.
    Everything,
}

/// Looks at what there is of one environment, or of all. The parameter `image` is read besides.
///
/// # Errors
/// A list that could not be read to its end: without it nothing can be said.
pub async fn observe(
    session: &Session,
    environment: Option<&EnvironmentName>,
    reach: Reach,
    image: Option<&str>,
) -> Result<Observed, Failure> {
    let filter = tags::of(environment);
    let tasks = async {
        match reach {
            Reach::Instances => Ok(Vec::new()),
            _ => ecs::observe(session, environment, reach).await,
        }
    };
    let built = built(session, environment, &filter, reach, image);
    let (built, tasks) = tokio::join!(built, tasks);
    let mut observed = built?;
    observed.things.extend(tasks?);
    Ok(observed)
}

/// The network and what is in it.
async fn built(
    session: &Session,
    environment: Option<&EnvironmentName>,
    filter: &(String, String),
    reach: Reach,
    image: Option<&str>,
) -> Result<Observed, Failure> {
    let instances = async {
        match reach {
            Reach::Tasks => Ok(Vec::new()),
            _ => ec2::observe(session, filter, reach).await,
        }
    };
    let inside = async {
        let (network, instances) =
            tokio::try_join!(network::observe(session, filter, reach), instances)?;
        Ok(network.into_iter().chain(instances))
    };
    let listed = async {
        tokio::try_join!(
            network::vpcs(session, None),
            claims_and_image(session, environment, image),
        )
    };
    if reach == Reach::Everything {
        // Whoever takes away wants what is left of a network that somebody took apart, too.
        let own = async {
            let (vpcs, (claims, _)) = listed.await?;
            let foundation = Foundation::of(vpcs, claims, environment);
            foundation.observe(session).await
        };
        let (own, inside) = tokio::try_join!(own, inside)?;
        return Ok(Observed {
            things: own.into_iter().chain(inside).collect(),
            ..Default::default()
        });
    }
    let (vpcs, (claims, image)) = listed.await?;
    let mut observed = Observed {
        things: Vec::new(),
        all_vpcs: vpcs.len() as u64,
        image,
    };
    let foundation = Foundation::of(vpcs, claims, environment);
    // Before anything is made there is nothing to be looked for
    // (docs/decisions/0012-who-makes-the-network.md).
    if !foundation.is_missing() {
        let (own, inside) = tokio::try_join!(foundation.observe(session), inside)?;
        observed.things = own.into_iter().chain(inside).collect();
    }
    Ok(observed)
}

/// The claims, and the image that the parameter `image` names: one call reads both.
async fn claims_and_image(
    session: &Session,
    environment: Option<&EnvironmentName>,
    image: Option<&str>,
) -> Result<(Claims, Option<String>), Failure> {
    let names = claim::names(session, environment).await?;
    let mut together = names.clone();
    together.extend(image.map(str::to_owned));
    let values = match parameters::values(session, &together).await {
        // Whoever launches reads the image's alone, and says what is wrong with it.
        Err(failure) if image.is_some() && !failure.class.is_retryable() => {
            parameters::values(session, &names).await?
        }
        values => values?,
    };
    let (claims, others): (Claims, Claims) = values
        .into_iter()
        .partition(|(name, _)| names.contains(name));
    Ok((claims, others.into_values().next()))
}

impl Thing {
    /// Something that carries those tags, where they make it ours; `index` is its place in the launch
    /// that made it.
    pub fn of(
        kind: AwsKind,
        id: Option<String>,
        found: &[Tag],
        index: Option<usize>,
        detail: Detail,
    ) -> Option<Self> {
        Some(Self {
            kind,
            id: id?.into(),
            ownership: tags::read(found, index)?,
            detail,
        })
    }

    /// The task that it is.
    pub fn task(&self) -> Option<&ecs::Task> {
        match &self.detail {
            Detail::Task(task) => Some(task),
            _ => None,
        }
    }

    /// The instance that it is.
    pub fn instance(&self) -> Option<&ec2::Instance> {
        match &self.detail {
            Detail::Instance(instance) => Some(instance),
            _ => None,
        }
    }
}

impl Observed {
    /// When each environment ends, by the tags of all that is its own.
    pub fn ends(&self) -> Ends {
        let alive = self.things.iter().filter(|thing| thing.is_alive());
        Ends::of(alive.map(|thing| {
            let ownership = &thing.ownership;
            (&ownership.environment, ownership.expires.as_ref())
        }))
    }

    /// When the environment ends.
    pub fn end(&self, environment: &EnvironmentName) -> Option<Timestamp> {
        self.ends().get(environment).latest
    }

    /// What there is of one environment.
    pub fn of<'a>(&'a self, environment: &'a EnvironmentName) -> impl Iterator<Item = &'a Thing> {
        let own = move |thing: &&Thing| thing.ownership.environment == *environment;
        self.things.iter().filter(own)
    }
}

impl Thing {
    /// Whether it is there, and not only remembered: AWS lists instances for an hour after their end.
    pub fn is_alive(&self) -> bool {
        self.instance()
            .is_none_or(|instance| instance.state.is_alive())
    }
}

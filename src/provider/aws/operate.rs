//! What is done with seats on AWS, once there are some.

use std::io::Write;

use jiff::Timestamp;

use super::observe::Observed;
use super::{AwsProvider, ec2, ecs};
use crate::engine::Failure;
use crate::expiry::Clocks;
use crate::model::environment::ProviderKind;
use crate::model::{EnvironmentName, SeatNumber, Service};
use crate::provider::{Logged, Logs, Operate, notices};

impl Operate for AwsProvider {
    async fn clocks(&self) -> Result<Clocks, Failure> {
        Ok(self.session.clocks)
    }

    fn end_notices(&self, observed: &Observed) -> Vec<String> {
        let ends = observed.ends();
        let end = ends.get(&self.environment().name);
        notices::end(Some(self.session.clocks), end, self.now())
    }

    async fn extend(
        &self,
        environment: &EnvironmentName,
        end: Timestamp,
        observed: &Observed,
    ) -> Result<(), Failure> {
        super::extend::extend(&self.session, environment, end, observed).await
    }

    async fn tidy(&self, _: &EnvironmentName, _: &Observed) {}

    async fn attach(
        &self,
        seat: SeatNumber,
        service: &Service,
        argv: Vec<String>,
    ) -> Result<i64, Failure> {
        match self.kind {
            ProviderKind::Ecs => ecs::attach(&self.applier, seat, service, &argv).await,
            _ => ec2::attach(&self.applier, seat, service, &argv).await,
        }
    }

    async fn logs(
        &self,
        observed: &Observed,
        wanted: &Logs,
        out: &mut (impl Write + Send),
    ) -> Result<Logged, Failure> {
        match self.kind {
            ProviderKind::Ecs => ecs::logs(&self.applier, observed, wanted, out).await,
            _ => ec2::logs(&self.applier, observed, wanted, out).await,
        }
    }
}

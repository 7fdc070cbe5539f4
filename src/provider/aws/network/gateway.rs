//! A network's way to the internet.

use std::sync::Arc;

use aws_sdk_ec2::types::{Filter, ResourceType};

use super::apply::{Builder, there};
use super::consistency::known;
use crate::engine::{Failure, FailureClass};
use crate::plan::Key;
use crate::provider::aws::limits::Action;
use crate::provider::aws::observe::{Detail, Thing};
use crate::provider::aws::scheme::{AwsKind, Marks};

impl Builder<'_> {
    pub(super) async fn create_gateway(
        &self,
        key: &Key<AwsKind>,
        marks: &Marks,
        again: bool,
    ) -> Result<(), Failure> {
        let is_it = |thing: &Thing| matches!(thing.detail, Detail::Gateway(None));
        if let Some(id) = self.made(AwsKind::Gateway, again, is_it).await? {
            self.ids.note(key.clone(), id);
            return Ok(());
        }
        let request = self
            .session
            .ec2
            .create_internet_gateway()
            .tag_specifications(self.tags(ResourceType::InternetGateway, marks));
        let answer = self
            .session
            .call(Action::ec2("CreateInternetGateway"), || {
                request.clone().send()
            })
            .await?;
        let id = answer
            .internet_gateway
            .and_then(|gateway| gateway.internet_gateway_id);
        self.ids
            .note(key.clone(), there("CreateInternetGateway", id)?);
        Ok(())
    }

    pub(super) async fn attach(&self, key: &Key<AwsKind>) -> Result<(), Failure> {
        let (gateway, vpc) = (self.ids.get(key)?, self.vpc()?);
        let attached = known(|| async {
            let request = self.session.ec2.attach_internet_gateway();
            let request = request.internet_gateway_id(&*gateway).vpc_id(&*vpc);
            self.session
                .call(Action::ec2("AttachInternetGateway"), || {
                    request.clone().send()
                })
                .await
        });
        // Which table the route is for is the same whether that works or not; it is asked again there.
        let (attached, _) = tokio::join!(attached, self.main_table(&vpc));
        match attached {
            Err(failure) if failure.class == FailureClass::Conflict => Ok(()),
            result => result.map(|_| ()),
        }
    }

    /// The main route table comes and goes with the VPC, and is that of every subnet without one of
    /// its own.
    async fn main_table(&self, vpc: &str) -> Result<Arc<str>, Failure> {
        let key = Key::new(AwsKind::Vpc, format!("{vpc} main route table"));
        if let Ok(known) = self.ids.get(&key) {
            return Ok(known);
        }
        let table = known(|| async {
            let filter =
                |name: &str, value: &str| Filter::builder().name(name).values(value).build();
            let request = self.session.ec2.describe_route_tables();
            let request = request.filters(filter("vpc-id", vpc));
            let request = request.filters(filter("association.main", "true"));
            let answer = self
                .session
                .call(Action::ec2("DescribeRouteTables"), || {
                    request.clone().send()
                })
                .await?;
            let table = answer.route_tables.unwrap_or_default().into_iter().next();
            table.and_then(|table| table.route_table_id).ok_or_else(|| {
                let message = format!("{vpc} has no main route table");
                Failure::new(FailureClass::NotFound, "DescribeRouteTables", message)
            })
        })
        .await?;
        let table: Arc<str> = table.into();
        self.ids.note(key, Arc::clone(&table));
        Ok(table)
    }

    pub(super) async fn route(&self, key: &Key<AwsKind>) -> Result<(), Failure> {
        let (gateway, vpc) = (self.ids.get(key)?, self.vpc()?);
        let table = self.main_table(&vpc).await?;
        known(|| async {
            let request = self.session.ec2.create_route().route_table_id(&*table);
            let request = request.destination_cidr_block("0.0.0.0/0");
            let request = request.gateway_id(&*gateway);
            match self
                .session
                .call(Action::ec2("CreateRoute"), || request.clone().send())
                .await
            {
                // It is there already.
                Err(failure) if failure.class == FailureClass::Conflict => Ok(()),
                result => result.map(|_| ()),
            }
        })
        .await
    }
}

//! Seats on AWS: instances of EC2 and tasks of ECS.

pub mod limits;

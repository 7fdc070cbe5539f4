//! What runs inside an EC2 seat, run here: its scripts, and a real SSH server.

pub mod bundle;
mod imds;
pub mod instance;
mod sshd;

mod boot;
mod deadline;
mod install;
mod lines;
mod receive;
mod ssh;
mod stack;
mod user_data;

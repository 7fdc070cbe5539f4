//! What runs inside an EC2 seat, run here: its scripts, and a real SSH server.

mod imds;
mod instance;
mod sshd;

mod boot;
mod deadline;
mod install;
mod receive;
mod ssh;
mod stack;
mod user_data;

//! Seeing from outside whether a service listens already. A look costs a few microseconds; a command
//! run in its container costs the engine 40 ms of a core, in which 23 databases could be starting.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bollard::Docker as Client;
use bollard::query_parameters::InspectContainerOptions;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(10);
/// How long a port may leave a look without an answer. On the engine's own host the answer is there
/// at once; from elsewhere there is none.
const ANSWER: Duration = Duration::from_millis(100);

/// What a while of looking showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// A port is open.
    Open,
    /// All stayed closed. The service may be ready all the same.
    Closed,
    /// Nothing can be told from here.
    Nothing,
}

/// The ports of a container, seen from the engine's host.
#[derive(Debug)]
pub struct Door {
    ports: Vec<SocketAddr>,
}

impl Door {
    /// The ports, where the container has an address.
    pub async fn of(client: &Client, container: &str, ports: &[u16]) -> Option<Self> {
        if ports.is_empty() {
            return None;
        }
        let inspected = client
            .inspect_container(container, None::<InspectContainerOptions>)
            .await
            .ok()?;
        let networks = inspected.network_settings?.networks?;
        let address: IpAddr = networks
            .values()
            .find_map(|endpoint| endpoint.ip_address.as_deref()?.parse().ok())?;
        let ports = ports.iter().map(|&port| (address, port).into()).collect();
        Some(Self { ports })
    }

    /// Looks until one of the ports is open, for so long at most.
    pub async fn opened(&self, patience: Duration) -> Seen {
        let end = Instant::now() + patience;
        loop {
            for port in &self.ports {
                match timeout(ANSWER, TcpStream::connect(port)).await {
                    Ok(Ok(_)) => return Seen::Open,
                    Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {}
                    Ok(Err(_)) | Err(_) => return Seen::Nothing,
                }
            }
            if Instant::now() >= end {
                return Seen::Closed;
            }
            sleep(PAUSE).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_port_that_opens_ends_the_wait() {
        let held = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = held.local_addr().unwrap();
        drop(held);
        let door = Door { ports: vec![port] };
        assert_eq!(door.opened(Duration::ZERO).await, Seen::Closed);
        let wait = tokio::spawn(async move { door.opened(Duration::from_secs(60)).await });
        let listener = TcpListener::bind(port).await.unwrap();
        let accepted = listener.accept();
        timeout(Duration::from_secs(20), accepted)
            .await
            .expect("it knocks")
            .unwrap();
        assert_eq!(wait.await.unwrap(), Seen::Open);
    }
}

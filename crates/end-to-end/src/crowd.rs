//! A crowd that keeps connections open and says nothing, or says it slowly.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fulcrum_api::Address;
use fulcrum_credentials::Credentials;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use crate::Secured;

/// They come from so many addresses.
const ADDRESSES: u8 = 8;
/// How long a slow one takes for each byte.
const SLOW: Duration = Duration::from_millis(100);
/// What a client of gRPC begins with, and then as much of a frame as never ends.
const BEGINNING: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\x3f\xff\x01\x04\0\0\0\x01";

/// Connections that are kept open; they end when it is dropped. One that is closed is opened again.
#[derive(Debug)]
pub struct Crowd {
    connections: JoinSet<()>,
    open: Arc<AtomicUsize>,
}

#[derive(Debug, Clone, Copy)]
enum Habit {
    /// Connects, and says nothing, not even hello.
    SaysNothing,
    /// Shakes hands, and says nothing after that.
    IsIdle,
    /// Shakes hands a byte at a time.
    GreetsSlowly,
    /// Shakes hands, and asks a byte at a time.
    AsksSlowly,
}

impl Crowd {
    /// Opens so many idle and so many slow connections to a fleet's scheduler, and waits until they
    /// are there.
    ///
    /// # Panics
    /// When they cannot be opened.
    #[expect(clippy::expect_used, reason = "for tests alone")]
    pub async fn gather(fleet: &Secured, idle: usize, slow: usize) -> Self {
        let address: Address = fleet.scheduler.parse().expect("an address");
        let (_, port) = address.authority().and_then(|a| a.rsplit_once(':')).expect("a port");
        let to = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port.parse().expect("a port"));
        let who = Credentials::open(fleet.path("keys/people/viewer")).expect("credentials");
        let open = Arc::new(AtomicUsize::new(0));
        let mut connections = JoinSet::new();
        for number in 0..idle + slow {
            let habit = match (number < idle, number % 2 == 0) {
                (true, true) => Habit::SaysNothing,
                (true, false) => Habit::IsIdle,
                (false, true) => Habit::GreetsSlowly,
                (false, false) => Habit::AsksSlowly,
            };
            let last = 2 + u8::try_from(number % usize::from(ADDRESSES)).unwrap_or_default();
            let from = IpAddr::from([127, 0, 0, last]);
            let (who, open) = (who.clone(), open.clone());
            connections.spawn(async move {
                loop {
                    let _ = stay(habit, from, to, &who, &open).await;
                    tokio::time::sleep(SLOW).await;
                }
            });
        }
        let crowd = Self { connections, open };
        for _ in 0..1200 {
            if crowd.open() >= idle + slow {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        crowd
    }

    /// How many connections are open now.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// How many there should be.
    pub fn wanted(&self) -> usize {
        self.connections.len()
    }
}

/// Keeps one connection open until the other side closes it.
async fn stay(
    habit: Habit,
    from: IpAddr,
    to: SocketAddr,
    who: &Credentials,
    open: &AtomicUsize,
) -> std::io::Result<()> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(from, 0))?;
    let mut stream = socket.connect(to).await?;
    let counted = Counted::new(open);
    match habit {
        Habit::SaysNothing => while stream.read(&mut [0]).await? > 0 {},
        Habit::GreetsSlowly => {
            let mut hello = Vec::new();
            let name = ServerName::try_from("localhost").map_err(std::io::Error::other)?;
            let tls = rustls::ClientConnection::new(who.now().client.clone(), name);
            tls.map_err(std::io::Error::other)?.write_tls(&mut hello)?;
            slowly(&mut stream, &hello).await?;
        }
        Habit::IsIdle | Habit::AsksSlowly => {
            drop(counted);
            let mut stream = greeted(stream, who).await?;
            let _counted = Counted::new(open);
            if matches!(habit, Habit::AsksSlowly) {
                slowly(&mut stream, BEGINNING).await?;
            }
            while stream.read(&mut [0; 64]).await? > 0 {}
        }
    }
    Ok(())
}

async fn greeted(
    stream: TcpStream,
    who: &Credentials,
) -> std::io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
    let name = ServerName::try_from("localhost").map_err(std::io::Error::other)?;
    TlsConnector::from(who.now().client.clone()).connect(name, stream).await
}

async fn slowly(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> std::io::Result<()> {
    for byte in bytes.iter().chain(std::iter::repeat(&0)) {
        stream.write_all(&[*byte]).await?;
        stream.flush().await?;
        tokio::time::sleep(SLOW).await;
    }
    Ok(())
}

/// A connection that is open.
struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn new(open: &'a AtomicUsize) -> Self {
        open.fetch_add(1, Ordering::Relaxed);
        Self(open)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

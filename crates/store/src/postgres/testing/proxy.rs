//! A wire between a store and its database that a test can cut.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio_postgres::config::Host;

use crate::postgres::Address;

/// Forwards connections until it is dropped.
pub struct Proxy {
    pub address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// What the server says is swallowed, and ends the connection.
    loses_answers: AtomicBool,
    closed: AtomicBool,
    open: Mutex<Vec<(u64, TcpStream)>>,
    counter: AtomicU64,
}

impl Proxy {
    pub fn before(server: &Address) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State::default());
        let (accepting, server) = (Arc::clone(&state), server.clone());
        thread(move || {
            for client in listener.incoming() {
                if accepting.closed.load(Ordering::SeqCst) {
                    return;
                }
                let (Ok(client), Some(server)) = (client, connect(&server)) else { continue };
                accepting.forward(client, server);
            }
        });
        Self { address, state }
    }

    /// From now on what clients ask for is done, and they do not hear of it.
    pub fn lose_answers(&self, lose: bool) {
        self.state.loses_answers.store(lose, Ordering::SeqCst);
    }

    /// Cuts every connection there is now.
    pub fn cut(&self) {
        for (_, stream) in self.state.open.lock().drain(..) {
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
    }

    /// The URL of the same database through this wire.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{}/{database}", self.address)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.state.closed.store(true, Ordering::SeqCst);
        self.cut();
        let _ = TcpStream::connect(self.address);
    }
}

impl State {
    fn forward(self: &Arc<Self>, client: TcpStream, server: Box<dyn Pipe>) {
        let _ = client.set_nodelay(true);
        let id = self.counter.fetch_add(1, Ordering::SeqCst);
        self.open.lock().push((id, client.try_clone().unwrap()));
        let (mut asked, mut asks) = (client.try_clone().unwrap(), server.double());
        thread(move || {
            let _ = std::io::copy(&mut asked, &mut asks);
            asks.end();
        });
        let (state, mut client, mut server) = (Arc::clone(self), client, server);
        thread(move || {
            let mut buffer = vec![0; 65_536];
            while let Ok(count) = server.read(&mut buffer) {
                let lost = state.loses_answers.load(Ordering::SeqCst);
                if count == 0 || lost || client.write_all(&buffer[..count]).is_err() {
                    break;
                }
            }
            let _ = client.shutdown(std::net::Shutdown::Both);
            server.end();
            state.open.lock().retain(|(open, _)| *open != id);
        });
    }
}

fn thread(work: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().name("proxy".into()).spawn(work).unwrap();
}

/// A stream of either family.
trait Pipe: Read + Write + Send {
    fn double(&self) -> Box<dyn Pipe>;
    fn end(&self);
}

impl Pipe for TcpStream {
    fn double(&self) -> Box<dyn Pipe> {
        Box::new(self.try_clone().unwrap())
    }

    fn end(&self) {
        let _ = self.shutdown(std::net::Shutdown::Both);
    }
}

impl Pipe for UnixStream {
    fn double(&self) -> Box<dyn Pipe> {
        Box::new(self.try_clone().unwrap())
    }

    fn end(&self) {
        let _ = self.shutdown(std::net::Shutdown::Both);
    }
}

fn connect(server: &Address) -> Option<Box<dyn Pipe>> {
    let port = server.config.get_ports().first().copied().unwrap_or(5432);
    match server.config.get_hosts().first()? {
        Host::Tcp(name) => {
            let stream = TcpStream::connect((name.as_str(), port)).ok()?;
            stream.set_nodelay(true).ok()?;
            Some(Box::new(stream))
        }
        Host::Unix(folder) => Some(Box::new(UnixStream::connect(folder.join(format!(".s.PGSQL.{port}"))).ok()?)),
    }
}

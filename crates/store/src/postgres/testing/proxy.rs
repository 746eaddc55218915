//! A wire between a store and its database that a test can cut.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

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
    closed: AtomicBool,
    wires: Mutex<Wires>,
}

#[derive(Default)]
struct Wires {
    /// What the server says is swallowed.
    lose_answers: bool,
    made: u64,
    open: Vec<Wire>,
}

struct Wire {
    id: u64,
    client: TcpStream,
    has_lost: bool,
}

impl Wire {
    fn cut(&self) {
        let _ = self.client.shutdown(Shutdown::Both);
    }
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

    /// From now on what clients ask for is done, and they do not hear of it. When answers come again, connections that
    /// lost one are cut: not before, because what a client asks for may be on its way in several pieces.
    pub fn lose_answers(&self, lose: bool) {
        let mut wires = self.state.wires.lock();
        wires.lose_answers = lose;
        wires.open.iter().filter(|wire| !lose && wire.has_lost).for_each(Wire::cut);
    }

    /// Cuts every connection there is now.
    pub fn cut(&self) {
        self.state.wires.lock().open.drain(..).for_each(|wire| wire.cut());
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
        let id = self.keep(client.try_clone().unwrap());
        let (mut asked, mut asks) = (client.try_clone().unwrap(), server.double());
        thread(move || {
            let _ = std::io::copy(&mut asked, &mut asks);
            asks.end();
        });
        let (state, mut client, mut server) = (Arc::clone(self), client, server);
        thread(move || {
            let mut buffer = vec![0; 65_536];
            while let Ok(count) = server.read(&mut buffer) {
                if count == 0 || !state.is_lost(id) && client.write_all(&buffer[..count]).is_err() {
                    break;
                }
            }
            let _ = client.shutdown(Shutdown::Both);
            server.end();
            state.wires.lock().open.retain(|wire| wire.id != id);
        });
    }

    fn keep(&self, client: TcpStream) -> u64 {
        let mut wires = self.wires.lock();
        wires.made += 1;
        let id = wires.made;
        wires.open.push(Wire { id, client, has_lost: false });
        id
    }

    /// Whether what comes now is swallowed: also after answers come again, if some of it was before.
    fn is_lost(&self, id: u64) -> bool {
        let mut wires = self.wires.lock();
        let lose = wires.lose_answers;
        wires.open.iter_mut().find(|wire| wire.id == id).is_some_and(|wire| {
            wire.has_lost |= lose;
            wire.has_lost
        })
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
        let _ = self.shutdown(Shutdown::Both);
    }
}

impl Pipe for UnixStream {
    fn double(&self) -> Box<dyn Pipe> {
        Box::new(self.try_clone().unwrap())
    }

    fn end(&self) {
        let _ = self.shutdown(Shutdown::Both);
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

//! A proxy that gives each connection to some node that takes it, and cuts connections at random.

use crate::random;
use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

pub struct Wire {
    port: u16,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Wire {
    pub fn before(nodes: Vec<u16>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let open: Arc<Mutex<Vec<TcpStream>>> = Arc::default();
        let kept = Arc::clone(&open);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let first = usize::try_from(random(nodes.len() as u64)).unwrap();
                let node = (0..nodes.len())
                    .find_map(|next| TcpStream::connect(("127.0.0.1", nodes[(first + next) % nodes.len()])).ok());
                let Some(node) = node else { continue };
                let _ = (client.set_nodelay(true), node.set_nodelay(true));
                kept.lock().unwrap().push(client.try_clone().unwrap());
                pump(client.try_clone().unwrap(), node.try_clone().unwrap());
                pump(node, client);
            }
        });
        Self { port, open }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Cuts one connection, in the middle of whatever it is about; how many that were.
    pub fn cut_one(&self) -> usize {
        let mut open = self.open.lock().unwrap();
        open.retain(|stream| stream.peer_addr().is_ok());
        if open.is_empty() {
            return 0;
        }
        let unlucky = usize::try_from(random(open.len() as u64)).unwrap();
        let _ = open.swap_remove(unlucky).shutdown(Shutdown::Both);
        1
    }
}

fn pump(mut from: TcpStream, mut to: TcpStream) {
    thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    });
}

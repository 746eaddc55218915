//! The few requests that set a server up, over a socket of their own each.

use anyhow::{Context, Result, bail};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

/// Sends one request and reads the answer to its end; anything but success is a failure.
pub fn send(address: SocketAddr, method: &str, path: &str, token: &str, kind: &str, body: &str) -> Result<String> {
    send_in(address, "default", method, path, token, kind, body)
}

/// The same in a workspace by name.
pub fn send_in(
    address: SocketAddr,
    workspace: &str,
    method: &str,
    path: &str,
    token: &str,
    kind: &str,
    body: &str,
) -> Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nContent-Type: {kind}\r\n\
         Runplane-Workspace: {workspace}\r\n\
         Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    if !answer.starts_with("HTTP/1.1 20") {
        bail!("{method} {path} was answered: {}", answer.get(..500).unwrap_or(&answer));
    }
    let (_, body) = answer.split_once("\r\n\r\n").context("an answer has no body")?;
    Ok(body.to_owned())
}

/// Whether something answers there.
pub fn answers(address: SocketAddr, path: &str) -> bool {
    send(address, "GET", path, "none", "text/plain", "").is_ok()
}

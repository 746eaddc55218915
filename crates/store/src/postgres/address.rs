//! Where the database is and how it is reached: the URL, and TLS.
//!
//! SECURITY: a URL holds a password. It is never printed: [`Address`] shows host and database only. Over a
//! network TLS is the default, and a certificate that does not verify is refused under every mode but
//! `disable`. Encrypting without verifying, which libpq does under `require`, is not offered.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::errors::unavailable;
use crate::error::StoreError;

/// A database, named by a `postgres://` URL.
#[derive(Clone)]
pub struct Address {
    pub(super) config: Config,
    root_certificate: Option<PathBuf>,
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts: Vec<String> = self.config.get_hosts().iter().map(host_text).collect();
        write!(f, "postgres://{}/{}", hosts.join(","), self.database())
    }
}

fn host_text(host: &Host) -> String {
    match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(path) => path.display().to_string(),
    }
}

impl Address {
    /// Whether this names a PostgreSQL database at all.
    #[must_use]
    pub fn is_one(text: &str) -> bool {
        text.starts_with("postgres://") || text.starts_with("postgresql://")
    }

    pub fn parse(url: &str) -> Result<Self, StoreError> {
        let (plain, mode, root_certificate) = split_tls(url)?;
        // The parser's own text may quote parts of the URL.
        let mut config: Config = plain
            .parse()
            .map_err(|_| unavailable("the database URL cannot be read; expected postgres://user@host/name"))?;
        if config.get_hosts().is_empty() {
            return Err(unavailable("the database URL names no host"));
        }
        config.ssl_mode(mode.unwrap_or_else(|| if is_near(&config) { SslMode::Prefer } else { SslMode::Require }));
        if is_near(&config) && mode.is_none() {
            config.ssl_mode(SslMode::Disable);
        }
        config.application_name("runplane");
        Ok(Self { config, root_certificate })
    }

    #[must_use]
    pub fn database(&self) -> &str {
        self.config.get_dbname().or(self.config.get_user()).unwrap_or_default()
    }

    pub(super) fn tls(&self) -> Result<MakeRustlsConnect, StoreError> {
        let mut roots = RootCertStore::empty();
        if let Some(path) = &self.root_certificate {
            let named = |error: &dyn fmt::Display| unavailable(format_args!("`{}`: {error}", path.display()));
            for certificate in CertificateDer::pem_file_iter(path).map_err(|error| named(&error))? {
                let certificate = certificate.map_err(|error| named(&error))?;
                roots.add(certificate).map_err(|error| named(&error))?;
            }
        } else if self.config.get_ssl_mode() != SslMode::Disable {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(unavailable)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(MakeRustlsConnect::new(config))
    }
}

/// On this machine: nobody between us and the server who is not root here.
fn is_near(config: &Config) -> bool {
    config.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => matches!(name.as_str(), "localhost" | "127.0.0.1" | "::1"),
        #[cfg(unix)]
        Host::Unix(_) => true,
    })
}

/// Takes `sslmode` and `sslrootcert` out of the URL's query: the driver knows only some modes and no file.
fn split_tls(url: &str) -> Result<(String, Option<SslMode>, Option<PathBuf>), StoreError> {
    let Some((before, query)) = url.split_once('?') else { return Ok((url.to_owned(), None, None)) };
    let (mut mode, mut root, mut rest) = (None, None, Vec::new());
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("sslmode", "disable")) => mode = Some(SslMode::Disable),
            Some(("sslmode", "prefer")) => mode = Some(SslMode::Prefer),
            Some(("sslmode", "require" | "verify-ca" | "verify-full")) => mode = Some(SslMode::Require),
            Some(("sslmode", other)) => return Err(unavailable(format_args!("`{other}` is no sslmode"))),
            Some(("sslrootcert", path)) => root = Some(PathBuf::from(path.replace("%2F", "/").replace("%2f", "/"))),
            _ => rest.push(pair),
        }
    }
    let rest = if rest.is_empty() { before.to_owned() } else { format!("{before}?{}", rest.join("&")) };
    Ok((rest, mode, root))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(url: &str) -> SslMode {
        Address::parse(url).unwrap().config.get_ssl_mode()
    }

    #[test]
    fn a_password_is_never_shown() {
        let address = Address::parse("postgres://me:s3cret@db.example:5433/orders?sslmode=verify-full").unwrap();
        assert_eq!(address.to_string(), "postgres://db.example/orders");
        assert!(!format!("{address:?}").contains("s3cret"));
        let broken = Address::parse("postgres://me:s3cret@db.example:port/orders").unwrap_err();
        assert!(!broken.to_string().contains("s3cret"), "{broken}");
    }

    #[test]
    fn what_leaves_the_machine_is_encrypted_unless_said_otherwise() {
        assert_eq!(mode("postgres://u@db.example/x"), SslMode::Require);
        assert_eq!(mode("postgres://u@db.example/x?sslmode=disable"), SslMode::Disable);
        assert_eq!(mode("postgres://u@db.example,127.0.0.1/x"), SslMode::Require);
        assert_eq!(mode("postgres://u@127.0.0.1/x"), SslMode::Disable);
        assert_eq!(mode("postgres://u@%2Frun%2Fpostgresql/x"), SslMode::Disable);
        assert_eq!(mode("postgres://u@127.0.0.1/x?sslmode=verify-ca&connect_timeout=3"), SslMode::Require);
        assert!(Address::parse("postgres://u@db.example/x?sslmode=allow").is_err());
    }
}

//! Sessions: who is signed in, proven by a cookie that no script can read.
//!
//! The browser holds 32 random bytes; the store holds their SHA-256, so a stolen database signs nobody in. A session
//! ends after 12 hours without use and after 7 days in any case; signing in always makes a new one.
//!
//! SECURITY: the cookie alone is not enough to change anything: what changes something must also bring a token
//! that only a page of this origin can know, and must not come from another site.

use crate::app::App;
use crate::control::User;
use crate::error::{Error, Kind};
use crate::nodes;
use crate::secret::{self, Fingerprint};
use crate::tasks;
use crate::workspace::Workspace;
use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use runplane_core::digest::sha256;
use runplane_core::time::{Micros, Span};
use runplane_store::Session;
use std::sync::Arc;
use std::sync::atomic::Ordering;

const COOKIE: &str = "runplane_session";
const PREFIX: &str = "rpu_";
pub const CSRF_HEADER: &str = "runplane-csrf";
pub const ABSOLUTE_LIFE: Span = Span::seconds(7 * 24 * 3_600);
const IDLE_LIFE: Span = Span::seconds(12 * 3_600);
/// How exactly it is noted when a session was last used.
const NOTED_EVERY: Span = Span::seconds(60);

/// Somebody signed in, as of one request.
#[derive(Clone)]
pub struct Standing {
    pub user: Arc<User>,
    pub session: [u8; 32],
    pub expires_at: Micros,
    pub csrf: String,
}

/// A session that was just made: what the browser is to hold.
pub struct Opened {
    pub secret: String,
    pub standing: Standing,
}

/// The session secret of a request, if there is a well-formed one. Two are none: one of them is not ours.
#[must_use]
pub fn presented(headers: &HeaderMap) -> Option<&str> {
    let mut found = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(name, _)| *name == COOKIE)
        .map(|(_, value)| value.trim());
    let first = found.next()?;
    (found.next().is_none() && secret::well_formed(first, PREFIX)).then_some(first)
}

/// The token a page of this origin sends with what changes something. It is made of the secret, so it needs no
/// storing and ends with the session.
#[must_use]
pub fn csrf_token(secret: &str) -> String {
    let digest = sha256(&[b"runplane csrf 1\0", secret.as_bytes()]);
    URL_SAFE_NO_PAD.encode(digest.to_string())
}

/// The cookie to set.
pub fn cookie(secret: &str, secure: bool) -> Result<HeaderValue, Error> {
    let seconds = ABSOLUTE_LIFE.0 / 1_000_000;
    set_cookie(&format!("{COOKIE}={secret}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}"), secure)
}

pub fn clear_cookie(secure: bool) -> Result<HeaderValue, Error> {
    set_cookie(&format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0"), secure)
}

fn set_cookie(text: &str, secure: bool) -> Result<HeaderValue, Error> {
    let text = if secure { format!("{text}; Secure") } else { text.to_owned() };
    HeaderValue::from_str(&text).map_err(|failure| Error::internal("a cookie could not be made").because(failure))
}

/// Signs a user in with a new session.
pub async fn open(app: &App, workspace: &Workspace, user: &Arc<User>) -> Result<Opened, Error> {
    let (secret, now) = (secret::generate(PREFIX)?, app.clock.now());
    let session = Session {
        hash: Fingerprint::of(&secret).0,
        workspace: workspace.id.clone(),
        user: user.id.clone(),
        created_us: now.0,
        seen_us: now.0,
        expires_us: now.after(ABSOLUTE_LIFE).0,
    };
    let standing = Standing {
        user: Arc::clone(user),
        session: session.hash,
        expires_at: Micros(session.expires_us),
        csrf: csrf_token(&secret),
    };
    let store = Arc::clone(&app.store);
    tasks::blocking(move || Ok(store.insert_session(&session)?)).await?;
    Ok(Opened { secret, standing })
}

/// Who holds this secret, as of now: the session, then the account in the control of now. `None` for whatever has
/// ended, is disabled or never was.
pub async fn standing(app: &Arc<App>, secret: &str) -> Result<Option<(Arc<Workspace>, Standing)>, Error> {
    let (store, hash, now) = (Arc::clone(&app.store), Fingerprint::of(secret).0, app.clock.now());
    let session = tasks::blocking(move || {
        let Some(session) = store.load_session(&hash)? else { return Ok(None) };
        let (seen, end) = (Micros(session.seen_us), Micros(session.expires_us));
        if end <= now || now.since(seen) >= IDLE_LIFE {
            return Ok(None);
        }
        if now.since(seen) >= NOTED_EVERY {
            store.touch_session(&hash, now.0)?;
        }
        let epoch = if store.is_shared() { store.load_head(&session.workspace)?.epoch } else { 0 };
        Ok(Some((session, epoch)))
    })
    .await?;
    let Some((session, epoch)) = session else { return Ok(None) };
    let mut found = holder(app, &session);
    if app.store.is_shared() && found.as_ref().is_none_or(|(workspace, _)| workspace.control().epoch < epoch) {
        // Another node may have made the account a moment ago, or taken a role away.
        nodes::look(app).await?;
        found = holder(app, &session);
        if found.as_ref().is_some_and(|(workspace, _)| workspace.control().epoch < epoch) {
            return Err(Error::new(Kind::StoreUnavailable, "this node does not know yet what others have changed"));
        }
    }
    let (expires_at, csrf) = (Micros(session.expires_us), csrf_token(secret));
    Ok(found.map(|(workspace, user)| (workspace, Standing { user, session: hash, expires_at, csrf })))
}

/// Whose session it is, if this node knows of them and they may still sign in.
fn holder(app: &App, session: &Session) -> Option<(Arc<Workspace>, Arc<User>)> {
    let workspace = app.workspaces().into_iter().find(|workspace| workspace.id == session.workspace)?;
    let user = workspace.control().users.get(&session.user).filter(|user| user.is_active()).cloned()?;
    Some((workspace, user))
}

/// Ends one session.
pub async fn close(app: &App, hash: [u8; 32]) -> Result<(), Error> {
    let store = Arc::clone(&app.store);
    tasks::blocking(move || {
        store.delete_session(&hash)?;
        Ok(())
    })
    .await?;
    app.sign_outs.fetch_add(1, Ordering::AcqRel);
    // Streams on other nodes end, too.
    app.store.announce();
    Ok(())
}

/// Ends the sessions of a user, all or all but one; says how many.
pub async fn close_all(app: &App, workspace: &Workspace, user: &str, except: Option<[u8; 32]>) -> Result<usize, Error> {
    let (store, workspace, user) = (Arc::clone(&app.store), workspace.id.clone(), user.to_owned());
    let ended = tasks::blocking(move || Ok(store.delete_sessions(&workspace, &user, except.as_ref())?)).await?;
    app.sign_outs.fetch_add(1, Ordering::AcqRel);
    // Streams on other nodes end, too.
    app.store.announce();
    Ok(ended)
}

/// Forgets what has ended; says how much. Blocks.
pub fn forget_ended(app: &App) -> Result<usize, Error> {
    let now = app.clock.now();
    Ok(app.store.forget_ended(now.0, now.before(IDLE_LIFE).0)?)
}

/// Whether a request that a cookie speaks for may change something.
pub fn check_same_origin(headers: &HeaderMap, allowed_hosts: &[String]) -> Result<(), Error> {
    let refused = |why: &str| Err(Error::new(Kind::CsrfRefused, why));
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if let Some(site) = text("sec-fetch-site") {
        // Browsers that say so cannot be made to lie about it by a page.
        if site != "same-origin" {
            return refused("the request comes from another site");
        }
        return Ok(());
    }
    let Some(origin) = text("origin") else { return Ok(()) };
    let authority = origin.split_once("://").map_or("", |(_, authority)| authority);
    let host = text("host").unwrap_or_default();
    let name = authority.split(':').next().unwrap_or_default();
    let ours = authority.eq_ignore_ascii_case(host) || allowed_hosts.iter().any(|own| own.eq_ignore_ascii_case(name));
    if authority.is_empty() || !ours { refused("the request comes from another origin") } else { Ok(()) }
}

/// The token a page of this origin sends.
pub fn check_csrf(headers: &HeaderMap, standing: &Standing) -> Result<(), Error> {
    use subtle::ConstantTimeEq;
    let mut given = headers.get_all(CSRF_HEADER).iter();
    let token = given.next().map(HeaderValue::as_bytes).unwrap_or_default();
    if given.next().is_none() && bool::from(token.ct_eq(standing.csrf.as_bytes())) {
        return Ok(());
    }
    Err(Error::new(Kind::CsrfRefused, format!("the header `{CSRF_HEADER}` does not carry the token of this session")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(given: &[(&'static str, &str)]) -> HeaderMap {
        given.iter().fold(HeaderMap::new(), |mut headers, (name, value)| {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
            headers
        })
    }

    #[test]
    fn only_a_page_of_this_origin_may_change_something() {
        for good in [
            &[("sec-fetch-site", "same-origin")][..],
            &[("origin", "http://localhost:7070"), ("host", "localhost:7070")],
            &[("origin", "https://runplane.acme.example"), ("host", "10.0.0.4:80")],
            &[("host", "localhost:7070")],
        ] {
            check_same_origin(&headers(good), &["runplane.acme.example".to_owned()]).unwrap();
        }
        for bad in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "none")],
            &[("origin", "null"), ("host", "localhost:7070")],
            &[("origin", "http://evil.test"), ("host", "localhost:7070")],
            &[("origin", "http://localhost:7071"), ("host", "localhost:7070")],
            &[("origin", "http://"), ("host", "")],
        ] {
            assert!(check_same_origin(&headers(bad), &[]).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn two_session_cookies_are_none() {
        let secret = secret::generate(PREFIX).unwrap();
        let one = format!("other=1; {COOKIE}={secret}");
        assert_eq!(presented(&headers(&[("cookie", &one)])), Some(secret.as_str()));
        assert_eq!(presented(&headers(&[("cookie", &one), ("cookie", &one)])), None);
        assert_eq!(presented(&headers(&[("cookie", &format!("{COOKIE}=rpu_short"))])), None);
    }

    #[test]
    fn the_cookie_is_out_of_reach_of_scripts_and_other_sites() {
        let plain = cookie("rpu_x", false).unwrap();
        assert_eq!(plain, "runplane_session=rpu_x; Path=/; HttpOnly; SameSite=Strict; Max-Age=604800");
        assert!(cookie("rpu_x", true).unwrap().to_str().unwrap().ends_with("; Secure"));
    }
}

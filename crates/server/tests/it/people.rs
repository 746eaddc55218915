//! Accounts and sessions: signing in, what a session proves, and what attacks on it get.

use crate::harness::{Browser, Server};
use reqwest::Method;
use runplane_server::people::{self, Purpose};
use serde_json::{Value, json};

const PASSWORD: &str = "a row of plain words";

struct Entered {
    status: u16,
    json: Value,
    cookie: String,
}

/// A sign-in or set-up, with the cookie that came back.
async fn enter(server: &Server, path: &str, body: &Value, cookie: Option<&str>) -> Entered {
    let mut request = server.client.post(server.url(path)).header("sec-fetch-site", "same-origin").json(body);
    if let Some(cookie) = cookie {
        request = request.header("cookie", cookie);
    }
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let cookie = response.headers().get("set-cookie").map(|value| value.to_str().unwrap().to_owned());
    Entered { status, json: response.json().await.unwrap(), cookie: cookie.unwrap_or_default() }
}

impl Entered {
    fn browser(&self) -> Browser {
        let secret = self.cookie.split(';').next().unwrap().strip_prefix("runplane_session=").unwrap().to_owned();
        let id = self.json["user"]["id"].as_str().unwrap().to_owned();
        Browser { id, secret, csrf: self.json["csrfToken"].as_str().unwrap().to_owned() }
    }
}

async fn sign_in(server: &Server, name: &str, password: &str) -> Entered {
    enter(server, "/api/v1/session", &json!({ "username": name, "password": password }), None).await
}

/// The first owner, by the link that a start prints.
async fn first_owner(server: &Server) -> Browser {
    let workspace = server.app.workspace("default").unwrap();
    let link = people::first_owner_link(&server.app, &workspace).await.unwrap().unwrap();
    let body = json!({ "token": link.token, "username": "Ada", "displayName": "Ada L.", "password": PASSWORD });
    let entered = enter(server, "/api/v1/session/setup", &body, None).await;
    assert_eq!(entered.status, 200, "{}", entered.json);
    entered.browser()
}

#[tokio::test]
async fn the_first_owner_is_set_up_by_a_link_that_works_once() {
    let server = Server::start().await;
    let before = server.send(server.client.get(server.url("/api/v1/session"))).await;
    assert_eq!(before.json, json!({ "signedIn": false, "needsSetup": true }));
    let workspace = server.app.workspace("default").unwrap();
    let link = people::first_owner_link(&server.app, &workspace).await.unwrap().unwrap();
    let looked = server
        .send(server.client.post(server.url("/api/v1/session/setup/check")).json(&json!({ "token": link.token })))
        .await;
    assert_eq!((looked.status, looked.text("purpose")), (200, "firstOwner"), "{looked:?}");
    let mut body = json!({ "token": link.token, "username": "ada", "password": "short" });
    let weak = enter(&server, "/api/v1/session/setup", &body, None).await;
    assert_eq!((weak.status, &weak.json["error"]), (400, &json!("weak_password")), "and the link is still good");
    body["password"] = json!(PASSWORD);
    let (one, two) = tokio::join!(
        enter(&server, "/api/v1/session/setup", &body, None),
        enter(&server, "/api/v1/session/setup", &body, None)
    );
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 410], "of two at once one gets through");
    let entered = if one.status == 200 { one } else { two };
    assert!(entered.cookie.contains("HttpOnly; SameSite=Strict"), "{}", entered.cookie);
    assert_eq!(entered.json["user"]["role"], json!("owner"));
    let again = enter(&server, "/api/v1/session/setup", &body, None).await;
    assert_eq!((again.status, &again.json["error"]), (410, &json!("link_ended")));
    assert!(people::first_owner_link(&server.app, &workspace).await.unwrap().is_none(), "there is an owner now");
    let entries = Value::from(server.entries()).to_string();
    assert!(entries.contains("user_created") && !entries.contains("argon2") && !entries.contains("Ada"));
}

#[tokio::test]
async fn a_link_ends_with_its_time_and_with_the_next_one() {
    let server = Server::start().await;
    let workspace = server.app.workspace("default").unwrap();
    let first = people::first_owner_link(&server.app, &workspace).await.unwrap().unwrap();
    let second = people::issue_link(&server.app, &workspace, Purpose::FirstOwner, None).await.unwrap();
    let used = |token: String| {
        let body = json!({ "token": token, "username": "ada", "password": PASSWORD });
        let server = &server;
        async move { enter(server, "/api/v1/session/setup", &body, None).await.status }
    };
    if !server.app.store.is_shared() {
        // Of several nodes each prints its own.
        assert_eq!(used(first.token).await, 410, "replaced");
    }
    server.advance(3_600);
    assert_eq!(used(second.token).await, 410, "expired");
    assert_eq!(used(format!("rps_{}", "A".repeat(43))).await, 410, "never was");
}

async fn signed_in(server: &Server, browser: &Browser) -> bool {
    server.send(server.browser(browser, Method::GET, "/api/v1/session")).await.json["signedIn"] == json!(true)
}

#[tokio::test]
async fn a_session_outlives_the_process_and_ends_without_use_and_in_any_case() {
    let server = Server::start().await;
    let owner = first_owner(&server).await;
    let server = server.restart().await;
    assert!(signed_in(&server, &owner).await);
    for _ in 0..13 {
        server.advance(11 * 3_600);
        assert!(signed_in(&server, &owner).await, "used in time");
    }
    server.advance(11 * 3_600);
    server.advance(11 * 3_600);
    assert!(!signed_in(&server, &owner).await, "not used for long, or seven days over");
    let fresh = sign_in(&server, "ada", PASSWORD).await.browser();
    server.advance(12 * 3_600);
    let idle = server.send(server.browser(&fresh, Method::GET, "/api/v1/users")).await;
    assert_eq!((idle.status, idle.text("error")), (401, "invalid_key"));
}

#[tokio::test]
async fn a_cookie_stolen_before_sign_out_is_worth_nothing_after() {
    let server = Server::start().await;
    let owner = first_owner(&server).await;
    let thief = owner.clone();
    let elsewhere = sign_in(&server, "ada", PASSWORD).await.browser();
    assert_eq!(server.page(&owner, Method::DELETE, "/api/v1/session", None).await.status, 204);
    assert_eq!(server.page(&thief, Method::GET, "/api/v1/agents", None).await.status, 401);
    assert_eq!(server.page(&elsewhere, Method::GET, "/api/v1/agents", None).await.status, 200, "another session");
    let third = sign_in(&server, "ada", PASSWORD).await.browser();
    let ended = server.page(&third, Method::DELETE, "/api/v1/session/others", None).await;
    assert_eq!(ended.json, json!({ "ended": 1 }));
    assert_eq!(server.page(&elsewhere, Method::GET, "/api/v1/agents", None).await.status, 401);
    let ended = server.page(&third, Method::DELETE, "/api/v1/session/all", None).await;
    assert_eq!(ended.json, json!({ "ended": 1 }));
    assert_eq!(server.page(&third, Method::GET, "/api/v1/agents", None).await.status, 401);
}

#[tokio::test]
async fn somebody_else_can_sign_a_person_out_everywhere() {
    let server = Server::start().await;
    let owner = first_owner(&server).await;
    let lost = server.person("viewer").await;
    let path = format!("/api/v1/users/{}/sessions", lost.id);
    assert_eq!(server.page(&lost, Method::DELETE, &path, None).await.status, 403, "a viewer does not");
    assert_eq!(server.page(&owner, Method::DELETE, &path, None).await.json, json!({ "ended": 1 }));
    assert_eq!(server.page(&lost, Method::GET, "/api/v1/agents", None).await.status, 401);
    assert_eq!(server.page(&owner, Method::GET, "/api/v1/agents", None).await.status, 200);
}

#[tokio::test]
async fn a_session_in_use_ends_after_seven_days_all_the_same() {
    let server = Server::start().await;
    let owner = first_owner(&server).await;
    for hours in 1..=23 {
        server.advance(7 * 3_600);
        assert!(signed_in(&server, &owner).await, "after {} hours", 7 * hours);
    }
    server.advance(7 * 3_600 - 1);
    assert!(signed_in(&server, &owner).await, "a second before its end");
    server.advance(1);
    assert!(!signed_in(&server, &owner).await, "it was used a second ago, and is over");
}

#[tokio::test]
async fn the_cookie_is_marked_secure_where_the_page_is() {
    let server = Server::start().await;
    first_owner(&server).await;
    let body = json!({ "username": "ada", "password": PASSWORD });
    for (header, value) in [("x-forwarded-proto", "https"), ("origin", &format!("https://{}", server.address))] {
        let request = server.client.post(server.url("/api/v1/session")).header(header, value).json(&body);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200, "{header}");
        let cookie = response.headers()["set-cookie"].to_str().unwrap().to_owned();
        assert!(cookie.ends_with("; HttpOnly; SameSite=Strict; Max-Age=604800; Secure"), "{header}: {cookie}");
        let owner = Entered { status: 200, json: response.json().await.unwrap(), cookie }.browser();
        let request = server.browser(&owner, Method::DELETE, "/api/v1/session").header("runplane-csrf", &owner.csrf);
        let left = request.header("x-forwarded-proto", "https").send().await.unwrap();
        let cleared = left.headers()["set-cookie"].to_str().unwrap().to_owned();
        assert_eq!(cleared, "runplane_session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0; Secure");
    }
}

#[tokio::test]
async fn nothing_a_browser_is_answered_can_be_framed_sniffed_or_kept() {
    let server = Server::start().await;
    let owner = first_owner(&server).await;
    for path in ["/api/v1/session", "/api/v1/agents", "/api/v1/nothing", "/api/v1/ledger/export", "/", "/approvals"] {
        let response = server.browser(&owner, Method::GET, path).header("accept", "text/html").send().await.unwrap();
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("x-frame-options"), "DENY", "{path}");
        assert!(header("content-security-policy").contains("frame-ancestors 'none'"), "{path}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert!(header("cache-control").starts_with("no-"), "{path}");
        assert!(response.headers().get("access-control-allow-origin").is_none(), "{path}");
    }
}

/// What a form of another site can send without asking first: no header of its own, and no JSON.
#[tokio::test]
async fn a_form_of_another_site_changes_nothing_even_with_the_cookie() {
    let server = Server::start().await;
    let owner = first_owner(&server).await;
    let cookie = format!("runplane_session={}", owner.secret);
    let body = json!({ "scope": "workspace", "reason": "a form" }).to_string();
    let size = server.entries().len();
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
        for path in ["/api/v1/containment", "/api/v1/approvals/decide", "/api/v1/session/password"] {
            let request = server.client.post(server.url(path)).header("cookie", &cookie).header("content-type", kind);
            let refused = server.send(request.header("origin", "https://evil.test").body(body.clone())).await;
            assert_eq!((refused.status, refused.text("error")), (403, "csrf_refused"), "{path} as {kind}");
            // An old browser that says nothing of where it comes from: the token is still missing.
            let request = server.client.post(server.url(path)).header("cookie", &cookie).header("content-type", kind);
            let refused = server.send(request.body(body.clone())).await;
            assert_eq!((refused.status, refused.text("error")), (403, "csrf_refused"), "{path} as {kind}, silent");
        }
    }
    let asked = server.client.request(Method::OPTIONS, server.url("/api/v1/containment"));
    let asked = asked.header("origin", "https://evil.test").header("access-control-request-method", "POST");
    let answer = asked.header("access-control-request-headers", "runplane-csrf").send().await.unwrap();
    assert!(!answer.status().is_success() && answer.headers().get("access-control-allow-origin").is_none());
    assert_eq!(server.entries().len(), size);
    assert!(signed_in(&server, &owner).await);
}

#[tokio::test]
async fn a_planted_session_is_not_the_one_somebody_signs_in_with() {
    let server = Server::start().await;
    first_owner(&server).await;
    let planted = sign_in(&server, "ada", PASSWORD).await.browser();
    let cookie = format!("runplane_session={}", planted.secret);
    let body = json!({ "username": "ada", "password": PASSWORD });
    let entered = enter(&server, "/api/v1/session", &body, Some(&cookie)).await.browser();
    assert_ne!(entered.secret, planted.secret);
    assert_eq!(server.page(&planted, Method::GET, "/api/v1/agents", None).await.status, 401, "it ended");
    let invented = format!("runplane_session=rpu_{}", "A".repeat(43));
    let entered = enter(&server, "/api/v1/session", &body, Some(&invented)).await.browser();
    assert!(!invented.contains(&entered.secret));
}

#[tokio::test]
async fn a_page_of_another_site_changes_nothing() {
    let server = Server::start().await;
    let owner = first_owner(&server).await;
    let body = json!({ "scope": "workspace", "reason": "from elsewhere" });
    let cookie = format!("runplane_session={}", owner.secret);
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "http://evil.test"),
        ("origin", "null"),
    ] {
        let request = server.client.post(server.url("/api/v1/containment")).header("cookie", &cookie);
        let request = request.header("runplane-csrf", &owner.csrf).header(name, value).json(&body);
        let refused = server.send(request).await;
        assert_eq!((refused.status, refused.text("error")), (403, "csrf_refused"), "{name}: {value}");
        let sign_in = server.client.post(server.url("/api/v1/session")).header(name, value);
        let refused = server.send(sign_in.json(&json!({ "username": "ada", "password": PASSWORD }))).await;
        assert_eq!((refused.status, refused.text("error")), (403, "csrf_refused"), "sign-in, {name}: {value}");
    }
    for token in ["", &"A".repeat(43)] {
        let request = server.browser(&owner, Method::POST, "/api/v1/containment").header("runplane-csrf", token);
        let refused = server.send(request.json(&body)).await;
        assert_eq!((refused.status, refused.text("error")), (403, "csrf_refused"), "the token `{token}`");
    }
    let missing = server.send(server.browser(&owner, Method::POST, "/api/v1/containment").json(&body)).await;
    assert_eq!((missing.status, missing.text("error")), (403, "csrf_refused"), "no token at all");
    let other = sign_in(&server, "ada", PASSWORD).await.browser();
    let request = server.browser(&owner, Method::POST, "/api/v1/containment").header("runplane-csrf", &other.csrf);
    let refused = server.send(request.json(&body)).await;
    assert_eq!((refused.status, refused.text("error")), (403, "csrf_refused"), "the token of another session");
    assert_eq!(server.page(&owner, Method::GET, "/api/v1/containment", None).await.json["switches"], json!([]));
    assert_eq!(server.page(&owner, Method::POST, "/api/v1/containment", Some(&body)).await.status, 201);
}

#[tokio::test]
async fn a_smaller_role_and_a_disabled_account_hold_at_once() {
    let server = Server::start().await;
    let admin = server.person("admin").await;
    let path = format!("/api/v1/users/{}", admin.id);
    assert_eq!(server.page(&admin, Method::GET, "/api/v1/users", None).await.status, 200);
    assert_eq!(server.admin(Method::PATCH, &path, Some(&json!({ "role": "viewer" }))).await.status, 200);
    let refused = server.page(&admin, Method::GET, "/api/v1/users", None).await;
    assert_eq!((refused.status, refused.text("leastRole")), (403, "admin"));
    assert_eq!(server.page(&admin, Method::GET, "/api/v1/agents", None).await.status, 200);
    assert_eq!(server.admin(Method::PATCH, &path, Some(&json!({ "status": "disabled" }))).await.status, 200);
    assert_eq!(server.page(&admin, Method::GET, "/api/v1/agents", None).await.status, 401);
    server.admin(Method::PATCH, &path, Some(&json!({ "status": "active" }))).await;
    assert_eq!(server.page(&admin, Method::GET, "/api/v1/agents", None).await.status, 401, "the session ended");
}

#[tokio::test]
async fn guessing_is_slowed_and_says_nothing_about_who_exists() {
    let server = Server::start().await;
    first_owner(&server).await;
    for name in ["ada", "nobody"] {
        for _ in 0..5 {
            let failed = sign_in(&server, name, "a wrong password").await;
            assert_eq!((failed.status, &failed.json["error"]), (401, &json!("sign_in_failed")), "{name}");
        }
        let slowed = sign_in(&server, name, PASSWORD).await;
        assert_eq!((slowed.status, &slowed.json["error"]), (429, &json!("too_many_attempts")), "{name}");
        assert_eq!(slowed.json["retryAfterSeconds"], json!(2));
    }
    server.advance(2);
    assert_eq!(sign_in(&server, "ada", PASSWORD).await.status, 200);
    assert_eq!(sign_in(&server, "ada", PASSWORD).await.status, 200, "a success starts afresh");
}

#[tokio::test]
async fn one_address_that_tries_many_names_is_slowed_and_a_session_is_not() {
    let server = Server::start().await;
    let owner = first_owner(&server).await;
    let mut tried = 0;
    let slowed = loop {
        let failed = sign_in(&server, &format!("guess-{tried}"), "a wrong password").await;
        if failed.status == 429 {
            break failed;
        }
        assert_eq!(failed.status, 401);
        tried += 1;
        assert!(tried <= 30, "it is never slowed");
    };
    assert_eq!(slowed.json["error"], json!("too_many_attempts"));
    assert_eq!(sign_in(&server, "ada", PASSWORD).await.status, 429, "from there nobody gets in faster");
    assert!(signed_in(&server, &owner).await, "who is in stays in");
    let change = json!({ "current": "a guess", "new": "another row of words" });
    let guessed = server.page(&owner, Method::POST, "/api/v1/session/password", Some(&change)).await;
    assert_eq!(guessed.status, 429, "a stolen session does not guess the password either");
}

#[tokio::test]
async fn a_reset_takes_password_and_sessions_away() {
    let server = Server::start().await;
    let owner = first_owner(&server).await;
    let made =
        server.page(&owner, Method::POST, "/api/v1/users", Some(&json!({ "username": "bo", "role": "admin" }))).await;
    let invitation = json!({ "token": made.json["link"]["token"], "password": PASSWORD });
    let bo = enter(&server, "/api/v1/session/setup", &invitation, None).await;
    assert_eq!((bo.status, &bo.json["user"]["username"]), (200, &json!("bo")));
    let bo = bo.browser();
    let refused = server.page(&bo, Method::POST, &format!("/api/v1/users/{}/reset", owner.id), None).await;
    assert_eq!((refused.status, refused.text("leastRole")), (403, "owner"), "an admin is no owner");
    let path = format!("/api/v1/users/{}/reset", bo.id);
    let link = server.page(&owner, Method::POST, &path, None).await;
    assert_eq!(link.status, 201, "{link:?}");
    assert_eq!(server.page(&bo, Method::GET, "/api/v1/agents", None).await.status, 401);
    assert_eq!(sign_in(&server, "bo", PASSWORD).await.status, 401);
    let body = json!({ "token": link.text("token"), "password": "another row of words" });
    let bo = enter(&server, "/api/v1/session/setup", &body, None).await.browser();
    let change = json!({ "current": "wrong", "new": "a third row of words" });
    assert_eq!(server.page(&bo, Method::POST, "/api/v1/session/password", Some(&change)).await.status, 401);
    let change = json!({ "current": "another row of words", "new": "a third row of words" });
    assert_eq!(server.page(&bo, Method::POST, "/api/v1/session/password", Some(&change)).await.status, 200);
    assert_eq!(server.page(&bo, Method::GET, "/api/v1/agents", None).await.status, 401, "a new cookie came");
}

#[tokio::test]
async fn owners_are_for_owners_and_the_last_one_stays() {
    let server = Server::start().await;
    let owner = first_owner(&server).await;
    let admin = server.person("admin").await;
    let path = format!("/api/v1/users/{}", owner.id);
    for (method, path, body) in [
        (Method::PATCH, path.as_str(), json!({ "role": "viewer" })),
        (Method::POST, "/api/v1/users", json!({ "username": "x", "role": "owner" })),
        (Method::PATCH, &format!("/api/v1/users/{}", admin.id), json!({ "role": "owner" })),
        (Method::DELETE, &format!("{path}/sessions"), json!({})),
    ] {
        let refused = server.page(&admin, method.clone(), path, Some(&body)).await;
        assert_eq!((refused.status, refused.text("leastRole")), (403, "owner"), "{method} {path}: {refused:?}");
    }
    for body in [json!({ "role": "admin" }), json!({ "status": "disabled" })] {
        let refused = server.page(&owner, Method::PATCH, &path, Some(&body)).await;
        assert_eq!((refused.status, refused.text("error")), (409, "last_owner"));
    }
    let body = json!({ "username": "ADA", "role": "viewer" });
    let taken = server.page(&owner, Method::POST, "/api/v1/users", Some(&body));
    assert_eq!(taken.await.text("error"), "already_exists");
}

#[tokio::test]
async fn an_account_belongs_to_one_workspace() {
    let server = Server::start().await;
    let owner = first_owner(&server).await;
    server.admin_post("/api/v1/workspaces", &json!({ "name": "team-b" })).await;
    let request = server.browser(&owner, Method::GET, "/api/v1/agents").header("runplane-workspace", "team-b");
    let refused = server.send(request).await;
    assert_eq!((refused.status, refused.text("error")), (404, "unknown_workspace"));
    let new = json!({ "username": "cy", "role": "owner" });
    let made = server.admin_of("team-b", Method::POST, "/api/v1/users", Some(&new)).await;
    let body = json!({ "token": made.json["link"]["token"], "password": PASSWORD });
    let cy = enter(&server, "/api/v1/session/setup", &body, None).await.browser();
    assert_eq!(server.page(&cy, Method::GET, "/api/v1/agents", None).await.json["agents"], json!([]));
    let refused = server.page(&cy, Method::GET, "/api/v1/workspaces", None).await;
    assert_eq!(refused.status, 403, "the installation belongs to the default workspace");
    assert_eq!(sign_in(&server, "cy", PASSWORD).await.status, 401, "unknown in the default workspace");
}

#[tokio::test]
async fn two_authorization_headers_are_none_and_a_bad_one_hides_a_good_cookie() {
    let server = Server::start().await;
    let owner = first_owner(&server).await;
    let token = server.installed.admin_token.clone();
    let request = server.client.get(server.url("/api/v1/agents")).bearer_auth(&token);
    let twice = server.send(request.header("authorization", format!("Bearer {token}"))).await;
    assert_eq!((twice.status, twice.text("error")), (401, "invalid_key"));
    let request = server.browser(&owner, Method::GET, "/api/v1/agents").header("authorization", "Bearer nonsense");
    assert_eq!(server.send(request).await.status, 401);
}

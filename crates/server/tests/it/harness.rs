//! A server for one test, and clients for it.

use reqwest::Method;
use runplane_core::json;
use runplane_core::packs;
use runplane_core::time::Micros;
use runplane_ledger::Hash;
use runplane_ledger::checkpoint::origin;
use runplane_ledger::verify::{Head, Verifier};
use runplane_server::clock::{ManualClock, SharedClock};
use runplane_server::install::{InitOptions, Installed, init};
use runplane_server::options::{LEDGER_KEY, PERMIT_KEY};
use runplane_server::people;
use runplane_server::projection;
use runplane_server::recompute::{Recomputed, Recomputer};
use runplane_server::{App, Options, Place, start_with};
use runplane_store::fault::FaultStore;
use runplane_store::postgres::Options as StoreOptions;
use runplane_store::postgres::testing::{Database, patient};
use runplane_store::{Address, PostgresStore, SqliteStore, Store, StoreError};
use serde_json::{Value, json as object};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// 2026-11-22T12:00:00Z.
const START: Micros = Micros(1_795_348_800_000_000);

pub struct Server {
    pub app: Arc<App>,
    pub address: SocketAddr,
    pub clock: Arc<ManualClock>,
    pub store: Arc<FaultStore<dyn Store>>,
    pub installed: Installed,
    pub client: reqwest::Client,
    /// Somebody changed the ledger behind the server's back: it is not looked at in the end.
    pub tampered: bool,
    home: Option<Home>,
    stop: Option<oneshot::Sender<()>>,
    running: Option<JoinHandle<()>>,
}

/// What outlives a restart: the folder of the keys, and the database if it is not in there.
pub struct Home {
    pub folder: TempDir,
    pub database: Option<Arc<Database>>,
    /// How the database is reached, if not directly.
    pub address: Option<Address>,
    pub options: StoreOptions,
}

impl Home {
    /// On the embedded database, whichever the other tests run on.
    pub fn embedded() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), database: None, address: None, options: patient() }
    }

    /// On PostgreSQL, whichever the other tests run on.
    pub fn shared() -> Self {
        let database = Some(Arc::new(Database::create()));
        Self { folder: tempfile::tempdir().unwrap(), database, address: None, options: patient() }
    }

    /// A place for another node of the same installation: its own folder with the same keys.
    pub fn beside(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        for key in [LEDGER_KEY, PERMIT_KEY] {
            std::fs::copy(self.place().data.join(key), data.join(key)).unwrap();
        }
        let (database, options) = (self.database.clone(), self.options.clone());
        Self { folder, database, address: None, options }
    }

    /// On the database that `RUNPLANE_TEST_STORE` names: `sqlite` (also if it is not set) or `postgres`.
    pub fn new() -> Self {
        #[allow(clippy::disallowed_methods, reason = "tests have no configuration but this")]
        let named = std::env::var("RUNPLANE_TEST_STORE").unwrap_or_default();
        match named.as_str() {
            "" | "sqlite" => {}
            "postgres" => return Self::shared(),
            other => panic!("RUNPLANE_TEST_STORE is `{other}`; it may be `sqlite` or `postgres`"),
        }
        Self::embedded()
    }

    pub fn place(&self) -> Place {
        let address = self.address.clone().or_else(|| Some(self.database.as_ref()?.address()));
        Place { data: self.folder.path().join("data"), database: address }
    }

    /// The store, on which a test can put faults, in both its forms.
    pub async fn open(&self) -> (Arc<FaultStore<dyn Store>>, Arc<dyn Store>) {
        match &self.place().database {
            Some(address) => {
                let store = Arc::new(FaultStore::new(PostgresStore::open(address, &self.options).unwrap()));
                (store.clone(), store)
            }
            None => {
                let store = Arc::new(FaultStore::new(open_embedded(&self.place().data).await));
                (store.clone(), store)
            }
        }
    }
}

/// Somebody who is signed in.
#[derive(Clone)]
pub struct Browser {
    pub id: String,
    pub secret: String,
    pub csrf: String,
}

/// What a request was answered with.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub json: Value,
}

impl Answer {
    pub fn text(&self, member: &str) -> &str {
        self.json[member].as_str().unwrap_or_default()
    }
}

impl Server {
    /// With the shipped packs, and what is not covered by them held.
    pub async fn start() -> Self {
        let policies = packs::ALL.iter().map(|pack| (pack.name.to_owned(), pack.source.to_owned())).collect();
        Self::with_policies(policies).await
    }

    /// With one policy of its own.
    pub async fn with_policy(yaml: &str) -> Self {
        Self::with_policies(vec![("test".to_owned(), yaml.to_owned())]).await
    }

    pub async fn with_policies(packs: Vec<(String, String)>) -> Self {
        Self::at(Home::new(), packs).await
    }

    /// A new installation.
    pub async fn at(home: Home, packs: Vec<(String, String)>) -> Self {
        let clock = ManualClock::at(START);
        let shared: SharedClock = clock.clone();
        let place = home.place();
        let options = InitOptions { place, agent_name: "tester".into(), agent_environment: "production".into(), packs };
        let installed = init(&options, &shared).unwrap();
        Self::open(home, clock, installed).await
    }

    /// Another node beside this one.
    pub async fn beside(&self, change: impl FnOnce(&mut Home)) -> Self {
        let mut home = self.home.as_ref().unwrap().beside();
        change(&mut home);
        Self::open(home, self.clock.clone(), self.installed.clone()).await
    }

    async fn open(home: Home, clock: Arc<ManualClock>, installed: Installed) -> Self {
        let (store, as_store) = home.open().await;
        let options = Options::new(home.place(), SocketAddr::from(([127, 0, 0, 1], 0)));
        let seeds = home.place().seeds().unwrap();
        let running = start_with(options, as_store, clock.clone(), &seeds).await.unwrap();
        let (app, address) = (running.app.clone(), running.address);
        let (stop, stopped) = oneshot::channel::<()>();
        #[allow(clippy::disallowed_methods, reason = "joined in `stop`")]
        let running = tokio::spawn(async move {
            running.run(async { drop(stopped.await) }).await.unwrap();
        });
        Self {
            app,
            address,
            clock,
            store,
            installed,
            client: reqwest::Client::builder().timeout(Duration::from_secs(120)).build().unwrap(),
            tampered: false,
            home: Some(home),
            stop: Some(stop),
            running: Some(running),
        }
    }

    /// Stops gracefully and starts again on the same folder.
    pub async fn restart(self) -> Self {
        self.restart_after(|| ()).await
    }

    /// The same, doing something to the folder in between.
    pub async fn restart_after(self, meanwhile: impl FnOnce()) -> Self {
        self.restart_with(|_| meanwhile()).await
    }

    /// The same, moving to another home in between.
    pub async fn restart_with(mut self, change: impl FnOnce(&mut Home)) -> Self {
        let mut home = self.shut_down().await;
        let (clock, installed) = (self.clock.clone(), self.installed.clone());
        drop(self);
        change(&mut home);
        Self::open(home, clock, installed).await
    }

    /// Stops gracefully, for good.
    pub async fn stopped(mut self) -> Home {
        self.shut_down().await
    }

    /// Stops, does something to the store, and starts again.
    pub async fn restart_on(mut self, change: impl FnOnce(&dyn Store)) -> Self {
        let home = self.shut_down().await;
        let (clock, installed) = (self.clock.clone(), self.installed.clone());
        drop(self);
        let (_, store) = home.open().await;
        change(&*store);
        drop(store);
        Self::open(home, clock, installed).await
    }

    async fn shut_down(&mut self) -> Home {
        drop(self.stop.take());
        self.running.take().unwrap().await.unwrap();
        self.home.take().unwrap()
    }

    /// The secret that signs the ledger.
    pub fn ledger_seed(&self) -> [u8; 32] {
        self.home.as_ref().unwrap().place().seeds().unwrap().ledger
    }

    /// The folder of its keys.
    pub fn data(&self) -> PathBuf {
        self.home.as_ref().unwrap().place().data
    }

    /// The shared database, if it is on one.
    pub fn database(&self) -> Option<&Database> {
        self.home.as_ref()?.database.as_deref()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let bytes = response.bytes().await.unwrap();
        let bytes = if bytes.is_empty() { "null".into() } else { bytes };
        let json = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| panic!("{status} answered no JSON: {}", String::from_utf8_lossy(&bytes)));
        Answer { status, json }
    }

    /// As our own SDKs ask.
    pub async fn guard(&self, body: &Value) -> Answer {
        let key = self.installed.agent_key.clone();
        self.post_as(&key, "/api/v1/guard", body).await
    }

    /// The same in the background.
    pub fn guard_later(&self, body: Value) -> JoinHandle<Answer> {
        let request = self.client.post(self.url("/api/v1/guard")).bearer_auth(&self.installed.agent_key).json(&body);
        let request = request.header("runplane-client", "test/1");
        #[allow(clippy::disallowed_methods, reason = "joined by the caller")]
        tokio::spawn(async move {
            let response = request.send().await.unwrap();
            Answer { status: response.status().as_u16(), json: response.json().await.unwrap() }
        })
    }

    pub async fn act(&self, action: &str, target: &str, context: Value) -> Answer {
        self.guard(&object!({ "action": { "type": action, "target": target, "context": context } })).await
    }

    pub async fn post_as(&self, credential: &str, path: &str, body: &Value) -> Answer {
        let request = self.client.post(self.url(path)).bearer_auth(credential).header("runplane-client", "test/1");
        self.send(request.json(body)).await
    }

    pub async fn get_as(&self, credential: &str, path: &str) -> Answer {
        let request = self.client.get(self.url(path)).bearer_auth(credential).header("runplane-client", "test/1");
        self.send(request).await
    }

    /// As the published client polls: without naming itself.
    pub async fn poll(&self, approval: &str) -> Answer {
        let path = self.url(&format!("/api/v1/approvals/{approval}"));
        self.send(self.client.get(path).bearer_auth(&self.installed.agent_key)).await
    }

    pub async fn admin_post(&self, path: &str, body: &Value) -> Answer {
        self.post_as(&self.installed.admin_token.clone(), path, body).await
    }

    pub async fn admin_get(&self, path: &str) -> Answer {
        self.get_as(&self.installed.admin_token.clone(), path).await
    }

    /// Any request of a person to the default workspace.
    pub async fn admin(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        self.admin_of("default", method, path, body).await
    }

    /// Any request of a person.
    pub async fn admin_of(&self, workspace: &str, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let mut request = self.client.request(method, self.url(path)).bearer_auth(&self.installed.admin_token);
        request = request.header("runplane-workspace", workspace);
        if let Some(body) = body {
            request = request.json(body);
        }
        self.send(request).await
    }

    /// Somebody with an account of this role in the default workspace who is signed in.
    pub async fn person(&self, role: &str) -> Browser {
        self.person_called(&format!("{role}-1"), role, &["*"]).await
    }

    pub async fn person_called(&self, name: &str, role: &str, groups: &[&str]) -> Browser {
        let new = object!({ "username": name, "role": role, "groups": groups });
        let made = self.admin_post("/api/v1/users", &new).await;
        assert_eq!(made.status, 201, "{made:?}");
        let id = made.json["user"]["id"].as_str().unwrap().to_owned();
        let workspace = self.app.workspace("default").unwrap();
        let user = workspace.control().users[&id].clone();
        // Without the slow hash: that the door gives out such sessions is tested where it is about that.
        let opened = people::open(&self.app, &workspace, &user).await.unwrap();
        Browser { id, secret: opened.secret, csrf: opened.standing.csrf }
    }

    /// A request as a page of this server makes it.
    pub async fn page(&self, browser: &Browser, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let mut request = self.browser(browser, method, path).header("runplane-csrf", &browser.csrf);
        if let Some(body) = body {
            request = request.json(body);
        }
        self.send(request).await
    }

    /// The same without the token of the session.
    pub fn browser(&self, browser: &Browser, method: Method, path: &str) -> reqwest::RequestBuilder {
        let cookie = format!("runplane_session={}", browser.secret);
        self.client.request(method, self.url(path)).header("cookie", cookie).header("sec-fetch-site", "same-origin")
    }

    /// A new agent in the default workspace: its id and its key.
    pub async fn agent(&self, name: &str) -> (String, String) {
        let made =
            self.admin_post("/api/v1/agents", &serde_json::json!({ "name": name, "environment": "production" })).await;
        assert_eq!(made.status, 201, "{made:?}");
        (made.text("id").to_owned(), made.json["key"]["key"].as_str().unwrap().to_owned())
    }

    /// Waits until the list of decisions covers everything that is on the ledger now.
    pub async fn listed(&self) {
        let workspace = self.app.workspace("default").unwrap();
        let size = workspace.published.head.load().size;
        assert!(projection::wait_for(&workspace, size, Duration::from_secs(20)).await, "the list does not catch up");
    }

    /// Calls that wait for their place in the log.
    pub fn queued(&self) -> usize {
        self.app.workspaces().iter().map(|workspace| workspace.waiting()).sum()
    }

    /// Every entry of the default workspace.
    pub fn entries(&self) -> Vec<Value> {
        let workspace = self.app.workspace("default").unwrap();
        let mut entries: Vec<Value> = Vec::new();
        loop {
            let from = u64::try_from(entries.len()).unwrap();
            let rows = self.store.read_entries(&workspace.id, from, 4_096).unwrap();
            if rows.is_empty() {
                return entries;
            }
            entries.extend(rows.iter().map(|row| serde_json::from_slice::<Value>(&row.bytes).unwrap()));
        }
    }

    /// Verifies the whole ledger of the default workspace against its signed checkpoints and decides every recorded
    /// call again; says how long it is.
    pub fn verify_ledger(&self) -> u64 {
        let workspace = self.app.workspace("default").unwrap();
        let head = self.store.load_head(&workspace.id).unwrap();
        let mut verifier = Verifier::new(vec![workspace.verifying_key().clone()], &origin(&workspace.id));
        let mut notes = Vec::new();
        while let Ok(page) =
            self.store.read_checkpoints(&workspace.id, notes.last().map_or(0, |(size, _)| size + 1), 4_096)
        {
            if page.is_empty() {
                break;
            }
            notes.extend(page.into_iter().map(|row| (row.size, row.note)));
        }
        let mut notes = notes.into_iter().peekable();
        let mut recomputer = Recomputer::new(&*self.app.store, &workspace.id);
        let mut next = 0;
        while next < head.size {
            for row in self.store.read_entries(&workspace.id, next, 4_096).unwrap() {
                let read = json::read(&row.bytes, &json::Limits { max_depth: 64, ..Default::default() }).unwrap();
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                assert_eq!(text(&json::to_canonical(&read)), text(&row.bytes));
                let recomputed = recomputer.recompute(&row).unwrap();
                assert_ne!(recomputed, Recomputed::Different, "{}", String::from_utf8_lossy(&row.bytes));
                verifier.entry(row.index, &row.bytes, Hash::new(row.leaf_hash));
                next = row.index + 1;
                while let Some((_, note)) = notes.next_if(|(size, _)| *size == next) {
                    verifier.checkpoint(&note);
                }
            }
        }
        let report = verifier.report(Some(&Head { size: head.size, root: Some(Hash::new(head.root)) }));
        assert!(report.valid, "{report:?}");
        let state = runplane_server::check_state(&*self.app.store, &workspace.id).unwrap();
        assert_eq!(state.differences, Vec::<String>::new());
        head.size
    }

    pub fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

impl Drop for Server {
    /// Every test ends with a look at the whole ledger.
    fn drop(&mut self) {
        if !std::thread::panicking() && self.home.is_some() && !self.tampered {
            self.verify_ledger();
        }
        // Without a graceful stop the task ends with the runtime.
        drop(self.stop.take());
    }
}

/// Returns once this is so.
pub async fn until(what: &str, is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waiting).await.unwrap_or_else(|_| panic!("not so: {what}"));
}

/// The folder's lock is let go a moment after the last user is gone: when other tasks have run.
async fn open_embedded(data: &Path) -> SqliteStore {
    let opened = tokio::time::timeout(Duration::from_secs(20), async {
        loop {
            match SqliteStore::open(data, &runplane_store::Options::default()) {
                Err(StoreError::InUse(_)) => tokio::task::yield_now().await,
                other => return other,
            }
        }
    });
    opened.await.expect("the folder stays locked").unwrap()
}

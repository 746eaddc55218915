//! One running server: its store, clock, keys and workspaces.

use crate::clock::SharedClock;
use crate::error::{Error, Kind};
use crate::events::Places;
use crate::http::health::Probe;
use crate::id;
use crate::latency::Latencies;
use crate::nodes;
use crate::options::Options;
use crate::people::{Attempts, Passwords};
use crate::permit::PermitKey;
use crate::place::Seeds;
use crate::rate::RateLimits;
use crate::secret::Fingerprint;
use crate::sequencer::{self, Aside, Bound, Sequencer, Taken};
use crate::tasks::{self, Tasks};
use crate::workspace::{Published, QUEUE_LENGTH, Workspace};
use parking_lot::{Mutex, RwLock};
use runplane_ledger::SigningKey;
use runplane_ledger::checkpoint::origin;
use runplane_store::{Installation, Store};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::watch;

/// Snapshots that may wait for the writer; more are skipped and taken again later.
const SNAPSHOT_QUEUE: usize = 4;
/// For how long one node is the one that saves snapshots of a workspace.
const SNAPSHOT_LEASE: Duration = Duration::from_secs(60);

pub struct App {
    pub store: Arc<dyn Store>,
    pub clock: SharedClock,
    pub options: Options,
    /// Which of several nodes on one database this is.
    pub node: String,
    pub installation: Installation,
    pub permits: PermitKey,
    pub tasks: Tasks,
    pub rates: RateLimits,
    pub probe: Probe,
    pub passwords: Passwords,
    pub attempts: Attempts,
    /// Places for event streams.
    pub streams: Arc<Places>,
    /// Rises whenever sessions end, so that open streams look at theirs.
    pub sign_outs: AtomicU64,
    pub latencies: Latencies,
    ledger_seed: [u8; 32],
    workspaces: RwLock<BTreeMap<String, Arc<Workspace>>>,
    /// Which workspace and key a presented secret may belong to; the workspace's control has the last word.
    keys: RwLock<HashMap<Fingerprint, (Arc<Workspace>, String)>>,
    opening: Mutex<()>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// Changes with every commit.
    pub commits: Arc<watch::Sender<u64>>,
    snapshots: Mutex<Option<SyncSender<Taken>>>,
    /// Memory that the meters of all workspaces may take up.
    bound: Bound,
}

impl App {
    /// Opens every workspace of an initialised store and starts its sequencer.
    pub fn start(
        options: Options,
        store: Arc<dyn Store>,
        clock: SharedClock,
        seeds: &Seeds,
    ) -> Result<Arc<Self>, Error> {
        let installation = store
            .load_installation()?
            .ok_or_else(|| Error::internal("there is no installation here: run `runplane init` first"))?;
        seeds.agree(&*store)?;
        let node = id::generate(id::NODE, clock.now())?;
        let writer_node = node.clone();
        let latencies = Latencies::since(clock.now());
        let bound = Bound::new(options.state_memory, options.place.data.clone());
        let (snapshots, writer) = sync_channel::<Taken>(SNAPSHOT_QUEUE);
        let app = Arc::new(Self {
            store: Arc::clone(&store),
            clock,
            options,
            node,
            installation,
            permits: PermitKey::from_seed(&seeds.permit)?,
            tasks: Tasks::default(),
            rates: RateLimits::default(),
            probe: Probe::default(),
            passwords: Passwords::default(),
            attempts: Attempts::default(),
            streams: Arc::default(),
            sign_outs: AtomicU64::new(0),
            latencies,
            ledger_seed: seeds.ledger,
            workspaces: RwLock::default(),
            keys: RwLock::default(),
            opening: Mutex::default(),
            threads: Mutex::default(),
            commits: Arc::new(watch::channel(0).0),
            snapshots: Mutex::new(Some(snapshots)),
            bound,
        });
        app.keep_thread(tasks::thread("snapshots", move || save_snapshots(&writer, &*store, &writer_node)))?;
        for workspace in app.store.list_workspaces()? {
            app.open_workspace(&workspace.id)?;
        }
        Ok(app)
    }

    /// Recovers a stored workspace and starts its sequencer; one that runs already is handed out.
    pub fn open_workspace(&self, id: &str) -> Result<Arc<Workspace>, Error> {
        let find = || self.workspaces.read().values().find(|workspace| workspace.id == id).cloned();
        if let Some(open) = find() {
            return Ok(open);
        }
        // Two sequencers of one workspace in one process would be a second writer that nothing expects.
        let _opening = self.opening.lock();
        if let Some(open) = find() {
            return Ok(open);
        }
        let key = SigningKey::from_seed(&origin(id), &self.ledger_seed)
            .map_err(|failure| Error::internal("the signing key cannot be used").because(failure))?;
        let key = Arc::new(key);
        sequencer::check_form(&*self.store, id)?;
        self.bound.share();
        let recovered = sequencer::recover(&*self.store, id, key.verifying(), Some(&self.bound));
        let recovered = recovered.inspect_err(|_| self.bound.leave())?;
        let snapshots = self.snapshots.lock().clone().ok_or_else(|| Error::plain(Kind::AuditUnavailable))?;
        let (queue, commands) = sync_channel(QUEUE_LENGTH);
        let published = Arc::new(Published::new(recovered.control.clone(), recovered.head, Arc::clone(&self.commits)));
        let workspace = Arc::new(Workspace::new(
            &recovered.control,
            Arc::clone(&self.store),
            Arc::clone(&self.clock),
            Arc::clone(&key),
            Arc::clone(&published),
            queue,
        ));
        let sequencer = Sequencer::new(
            id.to_owned(),
            Arc::clone(&self.store),
            Arc::clone(&self.clock),
            key,
            published,
            Aside { snapshots, kept: recovered.kept, bound: self.bound.clone() },
            recovered.state,
        );
        self.keep_thread(tasks::thread("sequencer", move || sequencer.run(&commands)))?;
        for key in recovered.control.keys.values() {
            self.learn_key(key.fingerprint, &workspace, &key.id);
        }
        self.workspaces.write().insert(workspace.name.clone(), Arc::clone(&workspace));
        Ok(workspace)
    }

    pub fn workspace(&self, name: &str) -> Result<Arc<Workspace>, Error> {
        self.workspaces.read().get(name).cloned().ok_or_else(|| Error::plain(Kind::UnknownWorkspace))
    }

    pub fn workspaces(&self) -> Vec<Arc<Workspace>> {
        self.workspaces.read().values().cloned().collect()
    }

    pub fn find_key(&self, fingerprint: &Fingerprint) -> Option<(Arc<Workspace>, String)> {
        self.keys.read().get(fingerprint).cloned()
    }

    /// Makes a key findable. Whether it may be used is said by the control of its workspace.
    pub fn learn_key(&self, fingerprint: Fingerprint, workspace: &Arc<Workspace>, key_id: &str) {
        self.keys.write().insert(fingerprint, (Arc::clone(workspace), key_id.to_owned()));
    }

    #[must_use]
    pub fn ledger_seed(&self) -> &[u8; 32] {
        &self.ledger_seed
    }

    /// Ends background work, lets every sequencer finish its queue, and waits for the threads.
    pub async fn stop(self: &Arc<Self>) {
        self.tasks.finish().await;
        let app = Arc::clone(self);
        let resigned = tasks::blocking(move || {
            nodes::resign(&app);
            Ok(())
        });
        if let Err(failure) = resigned.await {
            tracing::error!(%failure, "tasks could not be given back");
        }
        for workspace in self.workspaces() {
            workspace.stop();
        }
        self.snapshots.lock().take();
        let threads = std::mem::take(&mut *self.threads.lock());
        let joined = tasks::blocking(move || {
            for thread in threads {
                if thread.join().is_err() {
                    tracing::error!("a thread panicked");
                }
            }
            Ok(())
        });
        if let Err(failure) = joined.await {
            tracing::error!(%failure, "threads could not be joined");
        }
    }

    fn keep_thread(&self, started: std::io::Result<JoinHandle<()>>) -> Result<(), Error> {
        let thread = started.map_err(|failure| Error::internal("a thread could not be started").because(failure))?;
        self.threads.lock().push(thread);
        Ok(())
    }
}

/// Saves what is taken, until nobody takes any more.
fn save_snapshots(taken: &Receiver<Taken>, store: &dyn Store, node: &str) {
    let mut tasks = BTreeSet::new();
    for taken in taken {
        let workspace = &taken.workspace;
        // Every node could make one; of those that are as good as each other, one is enough.
        let task = format!("snapshots of {workspace}");
        if !store.hold_lease(&task, node, SNAPSHOT_LEASE).unwrap_or(false) {
            continue;
        }
        if let Err(failure) = taken.save(store) {
            tracing::error!(workspace, %failure, "a snapshot could not be saved");
        }
        tasks.insert(task);
    }
    for task in tasks {
        if let Err(failure) = store.hold_lease(&task, node, Duration::ZERO) {
            tracing::info!(task, %failure, "a task could not be given back; another node takes it later");
        }
    }
}

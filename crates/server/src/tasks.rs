//! The only place that spawns: every thread and task has a name and somebody who waits for its end.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Background tasks of one server, and the signal that ends them.
#[derive(Clone, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Tasks {
    /// Runs `work` in the background; it must return soon after [`Tasks::stopping`] completes.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.tracker.spawn(work);
    }

    pub async fn stopping(&self) {
        self.stop.cancelled().await;
    }

    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stop.is_cancelled()
    }

    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Waits until every task has returned.
    pub async fn finish(&self) {
        self.stop.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }
}

/// A named operating-system thread for blocking work.
pub fn thread(name: &str, work: impl FnOnce() + Send + 'static) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work)
}

/// Runs `work` on a thread of its own that steps back for everybody else; `None` if there is no thread or it panicked.
pub fn patiently<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    std::thread::scope(|scope| {
        let work = move || {
            step_back();
            work()
        };
        std::thread::Builder::new().name("patient".to_owned()).spawn_scoped(scope, work).ok()?.join().ok()
    })
}

/// Lets go of something large where nobody waits for it, as soon as nobody else has it.
pub fn retire<T: Send + Sync + 'static>(value: Arc<T>) {
    const ROUND: Duration = Duration::from_millis(20);
    const MOST_ROUNDS: u32 = 500;
    let work = move || {
        step_back();
        for _ in 0..MOST_ROUNDS {
            if Arc::strong_count(&value) == 1 {
                break;
            }
            std::thread::sleep(ROUND);
        }
        drop(value);
    };
    // Without a thread it is let go of here.
    let _ = thread("retire", work);
}

/// Lowers the priority of this thread, for good. Elsewhere than on Linux it would be that of the whole process.
fn step_back() {
    #[cfg(target_os = "linux")]
    // It only makes others faster: if it is not allowed, nothing is wrong.
    let _ = rustix::process::setpriority_process(None, 10);
}

/// Blocking store work off the request threads.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, crate::error::Error> + Send + 'static,
) -> Result<T, crate::error::Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(failure) => Err(crate::error::Error::internal("a background read failed").because(failure)),
    }
}

//! From the command line to the verb.

use clap::Parser as _;
use tokio_util::sync::CancellationToken;

use super::args::{Cli, Command, Export, Images, Key};
use super::error::Result;
use super::{
    bundle, completions, config, context, down, exec, export, extend, images, init, key, logs, man,
    plan, reset, schedule, schema, status, sweep, up,
};
use crate::exit::Exit;

/// Runs the program with the arguments of the process.
pub fn run() -> Exit {
    let cli = Cli::parse();
    let output = cli.global.output;
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            anstream::eprintln!("error: can't start: {error}");
            return Exit::Failure;
        }
    };
    let exit = runtime.block_on(dispatch(cli)).unwrap_or_else(|error| {
        error.print(output);
        error.exit()
    });
    // A thread that waits for the keyboard would hold the end up.
    runtime.shutdown_background();
    exit
}

async fn dispatch(cli: Cli) -> Result {
    let global = &cli.global;
    match cli.command {
        Command::Init {
            directory,
            name,
            count,
        } => init::run(&directory, name, count),
        Command::Config { environment } => config::run(global, &environment),
        Command::Schema { of } => schema::run(of),
        Command::Plan {
            environment,
            seats,
            offline: true,
        } => plan::offline(global, &environment, &seats),
        Command::Plan {
            environment,
            seats,
            offline: false,
        } => plan::run(global, &environment, &seats).await,
        Command::Up {
            environment,
            seats,
            bundle,
            dry_run,
        } => {
            let environment = context::or_bundle(environment, bundle)?;
            if dry_run {
                return plan::run(global, &environment, &seats).await;
            }
            up::run(global, &environment, &seats).await
        }
        Command::Status {
            environment,
            seats,
            watch,
            interval,
        } => {
            let interval = watch.then(|| std::time::Duration::from_secs(interval));
            status::run(global, &environment, &seats, interval).await
        }
        Command::Reset {
            environment,
            seats,
            workspace,
            all,
            dry_run,
        } => {
            let what = reset::What {
                workspace,
                all,
                dry_run,
            };
            reset::run(global, &environment, &seats, what).await
        }
        Command::Shell { environment, seat } => exec::shell(&environment, &seat).await,
        Command::Exec {
            environment,
            seat,
            argv,
        } => exec::run(&environment, &seat, &argv).await,
        Command::Logs {
            environment,
            seats,
            service,
            follow,
            tail,
            since,
            timestamps,
        } => {
            let options = logs::Wanted {
                service,
                follow,
                tail,
                since,
                timestamps,
            };
            logs::run(&environment, &seats, options).await
        }
        Command::Down {
            environment,
            seats,
            dry_run,
        } => down::run(global, &environment, &seats, dry_run).await,
        Command::Extend {
            environment,
            only,
            end,
            dry_run,
        } => {
            let what = extend::What {
                file: &environment,
                only: only.as_ref(),
                end: &end,
                dry_run,
            };
            extend::run(global, what).await
        }
        Command::Sweep {
            all,
            only,
            provider: _,
            dry_run,
        } => sweep::run(global, all, only, dry_run).await,
        Command::Images {
            environment,
            fetch,
            action: None,
        } => images::run(global, &environment, fetch).await,
        Command::Images {
            action: Some(action),
            ..
        } => match action {
            Images::Save {
                environment,
                to,
                force,
            } => bundle::save(global, &environment, to, force).await,
            Images::Load { bundle } => bundle::load(global, &bundle).await,
        },
        Command::Export { form } => match form {
            Export::Compose {
                environment,
                seat,
                directory,
                force,
            } => export::compose(&environment, seat, &directory, force).await,
            Export::Systemd {
                only,
                directory,
                force,
            } => schedule::systemd(only, directory.as_deref(), force),
            Export::Cron { only } => schedule::cron(only),
        },
        Command::Key { action } => match action {
            Key::Fingerprint { environment } => key::fingerprint(global, &environment),
            Key::Export { environment } => key::export(&environment),
            Key::Import { environment, force } => key::import(&environment, force),
        },
        Command::Completions { shell } => completions::run(shell),
        Command::Man { directory } => man::run(directory.as_deref()),
    }
}

/// A token that is cancelled by Ctrl-C or by a request to end (SIGTERM): what is under way then
/// comes to its end, and nothing new begins. A second Ctrl-C ends the program at once.
pub fn interruption() -> CancellationToken {
    let token = CancellationToken::new();
    tokio::spawn(listen(token.clone()));
    token
}

/// A token as [`interruption`] has it, for one of several steps of a verb.
pub struct Interruptible {
    /// The token.
    pub cancel: CancellationToken,
    listener: tokio::task::JoinHandle<()>,
}

impl Interruptible {
    /// Listens until it is dropped.
    pub fn begin() -> Self {
        let cancel = CancellationToken::new();
        Self {
            listener: tokio::spawn(listen(cancel.clone())),
            cancel,
        }
    }
}

impl Drop for Interruptible {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

async fn listen(cancel: CancellationToken) {
    let mut terminate =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).ok();
    let terminated = async {
        match &mut terminate {
            Some(signal) => signal.recv().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated => {}
    }
    cancel.cancel();
    anstream::eprintln!(
        "interrupted: what is under way comes to its end; once more to stop at once"
    );
    if tokio::signal::ctrl_c().await.is_ok() {
        std::process::exit(Exit::Interrupted.code().into());
    }
}

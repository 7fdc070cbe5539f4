//! From the command line to the verb.

use clap::Parser as _;

use super::args::{Cli, Command, Export, Images, Key};
use super::error::{Result, io};
use super::interruption::{GRACE, Interruption};
use super::{
    bundle, completions, config, context, down, exec, export, extend, images, init, key, logs, man,
    plan, reset, schedule, schema, status, sweep, up,
};
use crate::exit::Exit;
use crate::provider::Logs;

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
    let (result, at_once) = runtime.block_on(interruptible(cli));
    let exit = result.unwrap_or_else(|error| {
        error.print(output);
        error.exit()
    });
    if at_once {
        // For threads that still have to delete what they wrote.
        runtime.shutdown_timeout(GRACE);
    } else {
        // A thread that waits for the keyboard would hold the end up.
        runtime.shutdown_background();
    }
    exit
}

/// Gives what came of it, and whether it is to end at once.
async fn interruptible(cli: Cli) -> (Result, bool) {
    match Interruption::begin() {
        Ok(interruption) => {
            let result = interruption.watch(dispatch(cli, &interruption)).await;
            (result, interruption.is_at_once())
        }
        Err(error) => (Err(io("listening for signals")(error)), false),
    }
}

async fn dispatch(cli: Cli, interruption: &Interruption) -> Result {
    let global = &cli.global;
    match cli.command {
        Command::Init {
            directory,
            name,
            count,
        } => init::run(&directory, name, count),
        Command::Config { environment } => config::run(global, &environment, interruption),
        Command::Schema { of } => schema::run(of),
        Command::Plan {
            environment,
            seats,
            offline: true,
        } => plan::offline(global, &environment, &seats, interruption),
        Command::Plan {
            environment,
            seats,
            offline: false,
        } => plan::run(global, &environment, &seats, interruption).await,
        Command::Up {
            environment,
            seats,
            bundle,
            dry_run,
        } => {
            let environment = context::or_bundle(environment, bundle)?;
            if dry_run {
                return plan::run(global, &environment, &seats, interruption).await;
            }
            up::run(global, &environment, &seats, interruption).await
        }
        Command::Status {
            environment,
            seats,
            watch,
            interval,
        } => {
            let interval = watch.then(|| std::time::Duration::from_secs(interval));
            status::run(global, &environment, &seats, interval, interruption).await
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
            reset::run(global, &environment, &seats, what, interruption).await
        }
        Command::Shell { environment, seat } => {
            exec::shell(&environment, &seat, interruption).await
        }
        Command::Exec {
            environment,
            seat,
            argv,
        } => exec::run(&environment, &seat, &argv, interruption).await,
        Command::Logs {
            environment,
            seats,
            service,
            follow,
            tail,
            since,
            timestamps,
        } => {
            let lines = Logs {
                service,
                follow,
                tail,
                timestamps,
                ..Logs::default()
            };
            let options = logs::Wanted { logs: lines, since };
            logs::run(&environment, &seats, options, interruption).await
        }
        Command::Down {
            environment,
            seats,
            dry_run,
        } => down::run(global, &environment, &seats, dry_run, interruption).await,
        Command::Extend {
            environment,
            only,
            region,
            end,
            dry_run,
        } => {
            let what = extend::What {
                file: &environment,
                only: only.as_ref(),
                region: region.as_deref(),
                end: &end,
                dry_run,
            };
            extend::run(global, what, interruption).await
        }
        Command::Sweep { what } => sweep::run(global, &what, interruption).await,
        Command::Images {
            environment,
            fetch,
            action: None,
        } => images::run(global, &environment, fetch, interruption).await,
        Command::Images {
            action: Some(action),
            ..
        } => match action {
            Images::Save {
                environment,
                to,
                force,
            } => bundle::save(global, &environment, to, force, interruption).await,
            Images::Load { bundle } => bundle::load(global, &bundle, interruption).await,
        },
        Command::Export { form } => match form {
            Export::Compose {
                environment,
                seat,
                directory,
                force,
            } => export::compose(&environment, seat, &directory, force, interruption).await,
            Export::Systemd {
                what,
                directory,
                force,
            } => schedule::systemd(&what, directory.as_deref(), force),
            Export::Cron { what } => schedule::cron(&what),
        },
        Command::Key { action } => match action {
            Key::Fingerprint { environment } => {
                key::fingerprint(global, &environment, interruption)
            }
            Key::Export { environment } => key::export(&environment, interruption),
            Key::Import { environment, force } => {
                key::import(&environment, force, interruption).await
            }
        },
        Command::Completions { shell } => completions::run(shell),
        Command::Man { directory } => man::run(directory.as_deref()),
    }
}

//! What goes wrong at an event, made to go wrong.

mod proxy;

mod calls;
mod damage;
mod foreign;
mod kill;
mod one_seat;
mod restart;
mod snapshots;
mod two_ups;

//! One suite for every back end: what the contract promises, checked from the outside.

mod connecting;
mod ending;
mod filling;
mod harness;
mod mixing;
mod moving;
#[cfg(feature = "uring")]
mod refusal;
mod sharing;
mod sockets;
mod streaming;
mod waking;

/// Makes each check a test of each back end.
macro_rules! conformance {
    ($checks:tt: $($(#[$condition:meta])? $backend:ident => $transport:expr;)+) => {
        $(conformance!(@backend $(#[$condition])? $backend, $transport, $checks);)+
    };
    (@backend $(#[$condition:meta])? $backend:ident, $transport:expr, { $($module:ident: $($check:ident)+;)+ }) => {
        $(#[$condition])?
        mod $backend {
            $($(
                #[test]
                fn $check() {
                    let transport = $transport;
                    crate::$module::$check(&transport);
                }
            )+)+
        }
    };
}

conformance! {{
    connecting:
        a_connection_is_made_and_echoes
        ipv6_works_as_ipv4_does
        nobody_listens_is_refused
        port_zero_picks_a_free_port
        a_taken_port_is_refused
        a_shared_port_is_shared
        unlisten_frees_the_port
        both_ends_know_the_same_addresses
        what_is_sent_before_the_connection_stands_arrives
        two_hundred_sockets_live_side_by_side;
    streaming:
        order_and_content_survive
        sending_empties_the_list_and_keeps_its_room
        nothing_to_send_is_nothing_sent
        a_hundred_mebibytes_pass_through_back_pressure
        sockets_start_paused
        pausing_pushes_back
        many_small_sends_meet_back_pressure
        drained_comes_once_for_each_time_unsent_was_not_zero;
    filling:
        the_destination_gets_exactly_what_was_asked_for
        headers_lent_and_bodies_filled
        nothing_is_filled_at_once
        a_filled_socket_is_paused
        filling_cannot_be_paused
        receiving_waits_for_filling
        filling_does_not_move_the_destination
        what_arrives_while_filling_can_be_seen;
    ending:
        the_end_comes_after_all_data
        the_end_comes_after_a_late_receive
        closing_with_unsent_bytes_ends_the_stream_early
        what_is_not_unsent_leaves_before_the_end
        no_completion_comes_after_close
        sending_to_a_closed_peer_ends_in_one_closed
        last_words_are_heard
        an_end_in_the_middle_of_filling_fills_nothing
        dead_ids_are_harmless
        a_dropped_reactor_closes_its_sockets;
    moving:
        a_stream_moves_between_threads
        a_pending_fill_and_unsent_bytes_move_along
        a_dropped_socket_is_closed
        a_socket_of_another_kind_is_not_adopted
        an_accepted_socket_is_adopted_by_another_reactor;
    sharing:
        only_reactors_that_can_be_shared_are
        others_send_while_its_thread_waits;
    mixing:
        any_order_of_calls_keeps_streams_whole;
    waking:
        a_wake_before_the_sleep_is_not_lost
        a_wake_ends_the_sleep
        no_wake_is_lost_among_many
        two_reactors_play_ping_pong_by_waking
        a_timeout_is_kept
        just_looking_does_not_wait
        time_is_common_and_goes_on;
}:
    tcp => axon_transport::TcpTransport::new();
    #[cfg(feature = "uring")]
    uring => crate::harness::uring();
    mem => axon_transport::MemNetwork::new();
    ragged_mem => crate::harness::ragged();
    faulty_tcp => crate::harness::faulty(axon_transport::TcpTransport::new());
    #[cfg(feature = "uring")]
    faulty_uring => crate::harness::faulty(crate::harness::uring());
    faulty_mem => crate::harness::faulty(axon_transport::MemNetwork::new());
    cuttable_tcp => axon_transport::Cuttable::new(axon_transport::TcpTransport::new(), 1);
    #[cfg(feature = "uring")]
    cuttable_uring => axon_transport::Cuttable::new(crate::harness::uring(), 1);
    cuttable_mem => axon_transport::Cuttable::new(axon_transport::MemNetwork::new(), 1);
}

// What only the kernel can do to a socket.
conformance! {{
    sockets:
        a_reset_while_receiving_is_an_error
        a_reset_while_paused_is_noticed
        a_reset_while_filling_is_an_error
        a_peer_that_stops_sending_is_an_orderly_end
        a_paused_socket_does_not_spin_on_the_end
        large_transfers_get_large_reads
        a_listener_survives_the_lack_of_descriptors
        an_ipv6_listener_leaves_the_port_to_ipv4;
}:
    tcp_sockets => axon_transport::TcpTransport::new();
    #[cfg(feature = "uring")]
    uring_sockets => crate::harness::uring();
}

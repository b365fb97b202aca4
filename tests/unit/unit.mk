# SPDX-License-Identifier: MIT
# One program per room of common/.

UNIT_TESTS += test_base
test_base_SOURCES = tests/unit/test_base.c
test_base_CPPFLAGS = $(UNIT_CPPFLAGS)
test_base_LDADD = $(UNIT_LDADD)

UNIT_TESTS += test_ring test_head
test_ring_SOURCES = tests/unit/test_ring.c tests/unit/unit.h
test_ring_CPPFLAGS = $(UNIT_CPPFLAGS)
test_ring_LDADD = $(UNIT_LDADD)
test_head_SOURCES = tests/unit/test_head.c tests/unit/unit.h
test_head_CPPFLAGS = $(UNIT_CPPFLAGS)
test_head_LDADD = $(UNIT_LDADD)

UNIT_TESTS += test_cli
test_cli_SOURCES = tests/unit/test_cli.c tests/unit/unit.h
test_cli_CPPFLAGS = $(UNIT_CPPFLAGS)
test_cli_LDADD = $(UNIT_LDADD)

if BUILD_HTTP
UNIT_TESTS += test_tls
test_tls_SOURCES = tests/unit/test_tls.c tests/unit/tls_pair.h \
	tests/unit/unit.h
test_tls_CPPFLAGS = $(UNIT_CPPFLAGS)
test_tls_LDADD = $(UNIT_LDADD) $(GNUTLS_LIBS)

UNIT_TESTS += test_tls_foreign
test_tls_foreign_SOURCES = tests/unit/test_tls_foreign.c \
	tests/unit/tls_pair.h tests/unit/unit.h
test_tls_foreign_CPPFLAGS = $(UNIT_CPPFLAGS)
test_tls_foreign_LDADD = $(UNIT_LDADD) $(GNUTLS_LIBS)

UNIT_TESTS += test_tls_shared
test_tls_shared_SOURCES = tests/unit/test_tls_shared.c \
	tests/unit/tls_certificates.h tests/unit/tls_pair.h tests/unit/unit.h
test_tls_shared_CPPFLAGS = $(UNIT_CPPFLAGS)
test_tls_shared_LDADD = $(UNIT_LDADD) $(GNUTLS_LIBS) -lpthread

UNIT_TESTS += test_tls_trust
test_tls_trust_SOURCES = tests/unit/test_tls_trust.c \
	tests/unit/tls_certificates.h tests/unit/tls_pair.h tests/unit/unit.h
test_tls_trust_CPPFLAGS = $(UNIT_CPPFLAGS)
test_tls_trust_LDADD = $(UNIT_LDADD) $(GNUTLS_LIBS)
endif

UNIT_TESTS += test_checksum
test_checksum_SOURCES = tests/unit/test_checksum.c tests/unit/unit.h
test_checksum_CPPFLAGS = $(UNIT_CPPFLAGS)
test_checksum_LDADD = $(UNIT_LDADD)

UNIT_TESTS += test_segment
test_segment_SOURCES = tests/unit/test_segment.c tests/unit/segment_frames.h \
	tests/unit/unit.h
test_segment_CPPFLAGS = $(UNIT_CPPFLAGS)
test_segment_LDADD = $(UNIT_LDADD)

if BUILD_MCPROXY
MCPROXY_LDADD = $(mcproxy_libs) $(UNIT_LDADD)

UNIT_TESTS += test_mcproxy_block
test_mcproxy_block_SOURCES = tests/unit/test_mcproxy_block.c tests/unit/unit.h
test_mcproxy_block_CPPFLAGS = $(UNIT_CPPFLAGS)
test_mcproxy_block_LDADD = $(MCPROXY_LDADD)

UNIT_TESTS += test_mcproxy_placement
test_mcproxy_placement_SOURCES = tests/unit/test_mcproxy_placement.c tests/unit/unit.h
test_mcproxy_placement_CPPFLAGS = $(UNIT_CPPFLAGS)
test_mcproxy_placement_LDADD = $(MCPROXY_LDADD)

UNIT_TESTS += test_mcproxy_protocol
test_mcproxy_protocol_SOURCES = tests/unit/test_mcproxy_protocol.c tests/unit/unit.h
test_mcproxy_protocol_CPPFLAGS = $(UNIT_CPPFLAGS)
test_mcproxy_protocol_LDADD = $(MCPROXY_LDADD)

UNIT_TESTS += test_mcproxy_tally
test_mcproxy_tally_SOURCES = tests/unit/test_mcproxy_tally.c tests/unit/unit.h
test_mcproxy_tally_CPPFLAGS = $(UNIT_CPPFLAGS)
test_mcproxy_tally_LDADD = $(MCPROXY_LDADD)

UNIT_TESTS += test_mcproxy_config
test_mcproxy_config_SOURCES = tests/unit/test_mcproxy_config.c tests/unit/unit.h
test_mcproxy_config_CPPFLAGS = $(UNIT_CPPFLAGS)
test_mcproxy_config_LDADD = $(MCPROXY_LDADD)
endif

UNIT_TESTS += test_segment_ip
test_segment_ip_SOURCES = tests/unit/test_segment_ip.c \
	tests/unit/segment_frames.h tests/unit/unit.h
test_segment_ip_CPPFLAGS = $(UNIT_CPPFLAGS)
test_segment_ip_LDADD = $(UNIT_LDADD)

UNIT_TESTS += test_segment_build
test_segment_build_SOURCES = tests/unit/test_segment_build.c \
	tests/unit/segment_frames.h tests/unit/unit.h
test_segment_build_CPPFLAGS = $(UNIT_CPPFLAGS)
test_segment_build_LDADD = $(UNIT_LDADD)

UNIT_TESTS += test_varint
test_varint_SOURCES = tests/unit/test_varint.c tests/unit/unit.h
test_varint_CPPFLAGS = $(UNIT_CPPFLAGS)
test_varint_LDADD = $(UNIT_LDADD)

UNIT_TESTS += test_capsule
test_capsule_SOURCES = tests/unit/test_capsule.c tests/unit/unit.h \
	tests/unit/capsule_vectors.h
test_capsule_CPPFLAGS = $(UNIT_CPPFLAGS)
test_capsule_LDADD = $(UNIT_LDADD)

UNIT_TESTS += test_capsule_types
test_capsule_types_SOURCES = tests/unit/test_capsule_types.c \
	tests/unit/unit.h tests/unit/capsule_vectors.h
test_capsule_types_CPPFLAGS = $(UNIT_CPPFLAGS)
test_capsule_types_LDADD = $(UNIT_LDADD)

UNIT_TESTS += test_datagram
test_datagram_SOURCES = tests/unit/test_datagram.c tests/unit/unit.h
test_datagram_CPPFLAGS = $(UNIT_CPPFLAGS)
test_datagram_LDADD = $(UNIT_LDADD)

UNIT_TESTS += test_h3frame
test_h3frame_SOURCES = tests/unit/test_h3frame.c tests/unit/unit.h
test_h3frame_CPPFLAGS = $(UNIT_CPPFLAGS)
test_h3frame_LDADD = $(UNIT_LDADD)

UNIT_TESTS += test_chars test_http1 test_http1_body test_http1_target \
	test_sfv test_sfv_write test_uritemplate test_url
test_url_SOURCES = tests/unit/test_url.c tests/unit/unit.h
test_url_CPPFLAGS = $(UNIT_CPPFLAGS)
test_url_LDADD = $(UNIT_LDADD)
test_chars_SOURCES = tests/unit/test_chars.c tests/unit/unit.h
test_chars_CPPFLAGS = $(UNIT_CPPFLAGS)
test_chars_LDADD = $(UNIT_LDADD)
test_http1_SOURCES = tests/unit/test_http1.c tests/unit/unit.h
test_http1_CPPFLAGS = $(UNIT_CPPFLAGS)
test_http1_LDADD = $(UNIT_LDADD)
test_http1_body_SOURCES = tests/unit/test_http1_body.c tests/unit/unit.h
test_http1_body_CPPFLAGS = $(UNIT_CPPFLAGS)
test_http1_body_LDADD = $(UNIT_LDADD)
test_http1_target_SOURCES = tests/unit/test_http1_target.c tests/unit/unit.h
test_http1_target_CPPFLAGS = $(UNIT_CPPFLAGS)
test_http1_target_LDADD = $(UNIT_LDADD)
test_sfv_SOURCES = tests/unit/test_sfv.c tests/unit/unit.h
test_sfv_CPPFLAGS = $(UNIT_CPPFLAGS)
test_sfv_LDADD = $(UNIT_LDADD)
test_sfv_write_SOURCES = tests/unit/test_sfv_write.c tests/unit/unit.h
test_sfv_write_CPPFLAGS = $(UNIT_CPPFLAGS)
test_sfv_write_LDADD = $(UNIT_LDADD)
test_uritemplate_SOURCES = tests/unit/test_uritemplate.c tests/unit/unit.h
test_uritemplate_CPPFLAGS = $(UNIT_CPPFLAGS)
test_uritemplate_LDADD = $(UNIT_LDADD)

if HAVE_JANSSON
UNIT_TESTS += test_framing
test_framing_SOURCES = tests/unit/test_framing.c tests/unit/unit.h
test_framing_CPPFLAGS = $(UNIT_CPPFLAGS) $(JANSSON_CFLAGS)
test_framing_LDADD = $(UNIT_LDADD) $(JANSSON_LIBS)
endif

UNIT_TESTS += test_message
test_message_SOURCES = tests/unit/test_message.c tests/unit/unit.h
test_message_CPPFLAGS = $(UNIT_CPPFLAGS)
test_message_LDADD = $(UNIT_LDADD)

UNIT_TESTS += test_address test_listen
test_address_SOURCES = tests/unit/test_address.c tests/unit/unit.h
test_address_CPPFLAGS = $(UNIT_CPPFLAGS)
test_address_LDADD = $(UNIT_LDADD)
test_listen_SOURCES = tests/unit/test_listen.c tests/unit/unit.h
test_listen_CPPFLAGS = $(UNIT_CPPFLAGS)
test_listen_LDADD = $(UNIT_LDADD)

if BUILD_HTTP
UNIT_TESTS += test_dial test_eyeballs test_loop test_resolve test_stdstream
test_dial_SOURCES = tests/unit/test_dial.c tests/unit/resolver.h tests/unit/unit.h
test_dial_CPPFLAGS = $(UNIT_CPPFLAGS)
test_dial_LDADD = $(UNIT_LDADD) $(EV_LIBS)
test_eyeballs_SOURCES = tests/unit/test_eyeballs.c tests/unit/unit.h
test_eyeballs_CPPFLAGS = $(UNIT_CPPFLAGS)
test_eyeballs_LDADD = $(UNIT_LDADD)
test_loop_SOURCES = tests/unit/test_loop.c tests/unit/unit.h
test_loop_CPPFLAGS = $(UNIT_CPPFLAGS)
test_loop_LDADD = $(UNIT_LDADD) $(EV_LIBS)
test_resolve_SOURCES = tests/unit/test_resolve.c tests/unit/resolver.h \
	tests/unit/unit.h
test_resolve_CPPFLAGS = $(UNIT_CPPFLAGS)
test_resolve_LDADD = $(UNIT_LDADD) $(EV_LIBS)
test_stdstream_SOURCES = tests/unit/test_stdstream.c tests/unit/unit.h
test_stdstream_CPPFLAGS = $(UNIT_CPPFLAGS)
test_stdstream_LDADD = $(UNIT_LDADD) $(EV_LIBS)

# Client against server over a simulated link, whatever the version.
session_kit = tests/unit/session_cases.c tests/unit/session_cases.h \
	tests/unit/fake_transport.c tests/unit/fake_transport.h \
	tests/unit/session_link.c tests/unit/session_link.h tests/unit/unit.h

UNIT_TESTS += test_http1_session
test_http1_session_SOURCES = tests/unit/test_http1_session.c $(session_kit)
test_http1_session_CPPFLAGS = $(UNIT_CPPFLAGS)
test_http1_session_LDADD = $(UNIT_LDADD)

http1_raw = tests/unit/http1_raw.c tests/unit/http1_raw.h $(session_kit)

UNIT_TESTS += test_http1_requests test_http1_responses test_http1_life
test_http1_requests_SOURCES = tests/unit/test_http1_requests.c $(http1_raw)
test_http1_requests_CPPFLAGS = $(UNIT_CPPFLAGS)
test_http1_requests_LDADD = $(UNIT_LDADD)
test_http1_responses_SOURCES = tests/unit/test_http1_responses.c $(http1_raw)
test_http1_responses_CPPFLAGS = $(UNIT_CPPFLAGS)
test_http1_responses_LDADD = $(UNIT_LDADD)
test_http1_life_SOURCES = tests/unit/test_http1_life.c $(http1_raw)
test_http1_life_CPPFLAGS = $(UNIT_CPPFLAGS)
test_http1_life_LDADD = $(UNIT_LDADD)

http2_peer = tests/unit/http2_peer.c tests/unit/http2_peer.h tests/unit/unit.h

UNIT_TESTS += test_http2_session test_http2_heads test_http2_flow \
	test_http2_life test_http2_abuse
test_http2_session_SOURCES = tests/unit/test_http2_session.c $(session_kit)
test_http2_session_CPPFLAGS = $(UNIT_CPPFLAGS)
test_http2_session_LDADD = $(UNIT_LDADD) $(NGHTTP2_LIBS)
test_http2_heads_SOURCES = tests/unit/test_http2_heads.c $(http2_peer)
test_http2_heads_CPPFLAGS = $(UNIT_CPPFLAGS)
test_http2_heads_LDADD = $(UNIT_LDADD) $(NGHTTP2_LIBS)
test_http2_flow_SOURCES = tests/unit/test_http2_flow.c $(http2_peer)
test_http2_flow_CPPFLAGS = $(UNIT_CPPFLAGS)
test_http2_flow_LDADD = $(UNIT_LDADD) $(NGHTTP2_LIBS)
test_http2_life_SOURCES = tests/unit/test_http2_life.c $(http2_peer)
test_http2_life_CPPFLAGS = $(UNIT_CPPFLAGS)
test_http2_life_LDADD = $(UNIT_LDADD) $(NGHTTP2_LIBS)
test_http2_abuse_SOURCES = tests/unit/test_http2_abuse.c $(http2_peer)
test_http2_abuse_CPPFLAGS = $(UNIT_CPPFLAGS)
test_http2_abuse_LDADD = $(UNIT_LDADD) $(NGHTTP2_LIBS)
endif

if BUILD_QUIC
http3_peer = tests/unit/http3_peer.c tests/unit/http3_peer.h \
	tests/unit/fake_transport.c tests/unit/fake_transport.h \
	tests/unit/unit.h

UNIT_TESTS += test_http3_session test_http3_rules test_http3_life \
	test_http3_datagrams test_http3_abuse test_http3_claims
test_http3_session_SOURCES = tests/unit/test_http3_session.c $(session_kit)
test_http3_session_CPPFLAGS = $(UNIT_CPPFLAGS)
test_http3_session_LDADD = $(UNIT_LDADD) $(NGHTTP3_LIBS)
test_http3_rules_SOURCES = tests/unit/test_http3_rules.c $(http3_peer)
test_http3_rules_CPPFLAGS = $(UNIT_CPPFLAGS)
test_http3_rules_LDADD = $(UNIT_LDADD) $(NGHTTP3_LIBS)
test_http3_life_SOURCES = tests/unit/test_http3_life.c $(http3_peer)
test_http3_life_CPPFLAGS = $(UNIT_CPPFLAGS)
test_http3_life_LDADD = $(UNIT_LDADD) $(NGHTTP3_LIBS)
test_http3_datagrams_SOURCES = tests/unit/test_http3_datagrams.c $(http3_peer)
test_http3_datagrams_CPPFLAGS = $(UNIT_CPPFLAGS)
test_http3_datagrams_LDADD = $(UNIT_LDADD) $(NGHTTP3_LIBS)
test_http3_abuse_SOURCES = tests/unit/test_http3_abuse.c $(http3_peer)
test_http3_abuse_CPPFLAGS = $(UNIT_CPPFLAGS)
test_http3_abuse_LDADD = $(UNIT_LDADD) $(NGHTTP3_LIBS)
test_http3_claims_SOURCES = tests/unit/test_http3_claims.c $(http3_peer)
test_http3_claims_CPPFLAGS = $(UNIT_CPPFLAGS)
test_http3_claims_LDADD = $(UNIT_LDADD) $(NGHTTP3_LIBS)
endif

if BUILD_RSTDIAG
UNIT_TESTS += test_rstdiag test_rstdiag_encode
test_rstdiag_SOURCES = tests/unit/test_rstdiag.c tests/unit/rstdiag_cases.h \
	tests/unit/rstdiag_checks.h tests/unit/unit.h
test_rstdiag_CPPFLAGS = $(UNIT_CPPFLAGS)
test_rstdiag_LDADD = $(UNIT_LDADD) $(CBOR_LIBS) $(JANSSON_LIBS)
test_rstdiag_encode_SOURCES = tests/unit/test_rstdiag_encode.c \
	tests/unit/rstdiag_checks.h tests/unit/unit.h
test_rstdiag_encode_CPPFLAGS = $(UNIT_CPPFLAGS)
test_rstdiag_encode_LDADD = $(UNIT_LDADD) $(CBOR_LIBS) $(JANSSON_LIBS)

UNIT_TESTS += test_rules
test_rules_SOURCES = tests/unit/test_rules.c tests/unit/unit.h \
	cmd/rstdiag-send/rules.c cmd/rstdiag-send/rules.h
test_rules_CPPFLAGS = $(UNIT_CPPFLAGS)
test_rules_LDADD = $(UNIT_LDADD) $(CBOR_LIBS) $(JANSSON_LIBS)

UNIT_TESTS += test_reset
test_reset_SOURCES = tests/unit/test_reset.c tests/unit/unit.h \
	cmd/rstdiag-send/connections.c cmd/rstdiag-send/connections.h \
	cmd/rstdiag-send/numbers.c cmd/rstdiag-send/numbers.h
test_reset_CPPFLAGS = $(UNIT_CPPFLAGS)
test_reset_LDADD = $(UNIT_LDADD)

UNIT_TESTS += test_ratelimit
test_ratelimit_SOURCES = tests/unit/test_ratelimit.c tests/unit/unit.h
test_ratelimit_CPPFLAGS = $(UNIT_CPPFLAGS)
test_ratelimit_LDADD = $(UNIT_LDADD)

UNIT_TESTS += test_rstdiag_codes
test_rstdiag_codes_SOURCES = tests/unit/test_rstdiag_codes.c tests/unit/unit.h
test_rstdiag_codes_CPPFLAGS = $(UNIT_CPPFLAGS)
test_rstdiag_codes_LDADD = $(UNIT_LDADD)
endif
EXTRA_DIST += \
	tests/data/rstdiag/README.md \
	tests/data/rstdiag/packets.txt \
	tests/data/rstdiag/payloads.txt

if BUILD_HTTP
UNIT_TESTS += test_access
test_access_SOURCES = tests/unit/test_access.c tests/unit/unit.h
test_access_CPPFLAGS = $(UNIT_CPPFLAGS)
test_access_LDADD = $(UNIT_LDADD) $(HTTP_LIBS)

UNIT_TESTS += test_udp_proxy
test_udp_proxy_SOURCES = tests/unit/test_udp_proxy.c tests/unit/unit.h
test_udp_proxy_CPPFLAGS = $(UNIT_CPPFLAGS)
test_udp_proxy_LDADD = $(UNIT_LDADD) $(HTTP_LIBS)
endif

if BUILD_HTTP
UNIT_TESTS += test_proxy
test_proxy_SOURCES = tests/unit/test_proxy.c tests/unit/unit.h
test_proxy_CPPFLAGS = $(UNIT_CPPFLAGS)
test_proxy_LDADD = $(UNIT_LDADD)

ends_kit = tests/unit/ends.c tests/unit/ends.h tests/net/echo.c \
	tests/net/echo.h tests/unit/unit.h

UNIT_TESTS += test_ends
test_ends_SOURCES = tests/unit/test_ends.c $(ends_kit)
test_ends_CPPFLAGS = $(UNIT_CPPFLAGS)
test_ends_LDADD = $(UNIT_LDADD) $(HTTP_LIBS)

UNIT_TESTS += test_ends_trouble
test_ends_trouble_SOURCES = tests/unit/test_ends_trouble.c $(ends_kit)
test_ends_trouble_CPPFLAGS = $(UNIT_CPPFLAGS)
test_ends_trouble_LDADD = $(UNIT_LDADD) $(HTTP_LIBS)
endif

UNIT_TESTS += test_masque
test_masque_SOURCES = tests/unit/test_masque.c tests/unit/unit.h
test_masque_CPPFLAGS = $(UNIT_CPPFLAGS)
test_masque_LDADD = $(UNIT_LDADD)

if BUILD_HTTP
UNIT_TESTS += test_stream
test_stream_SOURCES = tests/unit/test_stream.c tests/unit/unit.h
test_stream_CPPFLAGS = $(UNIT_CPPFLAGS)
test_stream_LDADD = $(UNIT_LDADD)

UNIT_TESTS += test_netopt
test_netopt_SOURCES = tests/unit/test_netopt.c tests/unit/unit.h
test_netopt_CPPFLAGS = $(UNIT_CPPFLAGS)
test_netopt_LDADD = $(UNIT_LDADD) $(HTTP_LIBS)
endif

if BUILD_CAPSULE
UNIT_TESTS += test_typed
test_typed_SOURCES = tests/unit/test_typed.c tests/unit/unit.h \
	cmd/capsule-cat/typed.c cmd/capsule-cat/typed.h
test_typed_CPPFLAGS = $(UNIT_CPPFLAGS)
test_typed_LDADD = $(UNIT_LDADD)
endif

UNIT_TESTS += test_quicpkt
test_quicpkt_SOURCES = tests/unit/test_quicpkt.c tests/unit/unit.h
test_quicpkt_CPPFLAGS = $(UNIT_CPPFLAGS)
test_quicpkt_LDADD = $(UNIT_LDADD)

if BUILD_QUIC
# Two ends over the loopback.
quic_kit = tests/unit/quic_ends.c tests/unit/quic_ends.h \
	tests/unit/quic_relay.c tests/unit/quic_relay.h tests/unit/unit.h

UNIT_TESTS += test_quic test_quic_handshake test_quic_life test_quic_path \
	test_quic_streams
test_quic_SOURCES = tests/unit/test_quic.c $(quic_kit)
test_quic_CPPFLAGS = $(UNIT_CPPFLAGS)
test_quic_LDADD = $(UNIT_LDADD) $(HTTP_LIBS)
test_quic_handshake_SOURCES = tests/unit/test_quic_handshake.c $(quic_kit)
test_quic_handshake_CPPFLAGS = $(UNIT_CPPFLAGS)
test_quic_handshake_LDADD = $(UNIT_LDADD) $(HTTP_LIBS)
test_quic_life_SOURCES = tests/unit/test_quic_life.c $(quic_kit)
test_quic_life_CPPFLAGS = $(UNIT_CPPFLAGS)
test_quic_life_LDADD = $(UNIT_LDADD) $(HTTP_LIBS)
test_quic_path_SOURCES = tests/unit/test_quic_path.c $(quic_kit)
test_quic_path_CPPFLAGS = $(UNIT_CPPFLAGS)
test_quic_path_LDADD = $(UNIT_LDADD) $(HTTP_LIBS)
test_quic_streams_SOURCES = tests/unit/test_quic_streams.c $(quic_kit)
test_quic_streams_CPPFLAGS = $(UNIT_CPPFLAGS)
test_quic_streams_LDADD = $(UNIT_LDADD) $(HTTP_LIBS)
endif

if BUILD_H3DGRAM
UNIT_TESTS += test_h3dgram_measure
test_h3dgram_measure_SOURCES = tests/unit/test_h3dgram_measure.c tests/unit/unit.h \
	cmd/h3dgram/histogram.c cmd/h3dgram/histogram.h \
	cmd/h3dgram/probe.c cmd/h3dgram/probe.h \
	cmd/h3dgram/window.c cmd/h3dgram/window.h
test_h3dgram_measure_CPPFLAGS = $(UNIT_CPPFLAGS)
test_h3dgram_measure_LDADD = $(UNIT_LDADD) -lm
endif

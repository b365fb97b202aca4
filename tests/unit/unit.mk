# SPDX-License-Identifier: MIT
# One program per room of common/.

UNIT_TESTS += test_base
test_base_SOURCES = tests/unit/test_base.c
test_base_CPPFLAGS = $(UNIT_CPPFLAGS)
test_base_LDADD = $(UNIT_LDADD)

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

UNIT_TESTS += test_chars test_http1 test_http1_body test_http1_target \
	test_sfv test_sfv_write test_uritemplate
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

if BUILD_RSTDIAG
UNIT_TESTS += test_rstdiag
test_rstdiag_SOURCES = tests/unit/test_rstdiag.c tests/unit/unit.h
test_rstdiag_CPPFLAGS = $(UNIT_CPPFLAGS)
test_rstdiag_LDADD = $(UNIT_LDADD) $(CBOR_LIBS) $(JANSSON_LIBS)

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
test_ratelimit_SOURCES = tests/unit/test_ratelimit.c tests/unit/unit.h \
	cmd/rstdiag-send/ratelimit.c cmd/rstdiag-send/ratelimit.h
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

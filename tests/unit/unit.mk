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

UNIT_TESTS += test_segment
test_segment_SOURCES = tests/unit/test_segment.c tests/unit/unit.h
test_segment_CPPFLAGS = $(UNIT_CPPFLAGS)
test_segment_LDADD = $(UNIT_LDADD)

if BUILD_MCPROXY
MCPROXY_LDADD = $(mcproxy_libs) $(UNIT_LDADD)

UNIT_TESTS += test_mcproxy_placement
test_mcproxy_placement_SOURCES = tests/unit/test_mcproxy_placement.c tests/unit/unit.h
test_mcproxy_placement_CPPFLAGS = $(UNIT_CPPFLAGS)
test_mcproxy_placement_LDADD = $(MCPROXY_LDADD)

UNIT_TESTS += test_mcproxy_protocol
test_mcproxy_protocol_SOURCES = tests/unit/test_mcproxy_protocol.c tests/unit/unit.h
test_mcproxy_protocol_CPPFLAGS = $(UNIT_CPPFLAGS)
test_mcproxy_protocol_LDADD = $(MCPROXY_LDADD)

UNIT_TESTS += test_mcproxy_config
test_mcproxy_config_SOURCES = tests/unit/test_mcproxy_config.c tests/unit/unit.h
test_mcproxy_config_CPPFLAGS = $(UNIT_CPPFLAGS)
test_mcproxy_config_LDADD = $(MCPROXY_LDADD)
endif

if BUILD_RSTDIAG
UNIT_TESTS += test_rstdiag
test_rstdiag_SOURCES = tests/unit/test_rstdiag.c tests/unit/unit.h
test_rstdiag_CPPFLAGS = $(UNIT_CPPFLAGS)
test_rstdiag_LDADD = $(UNIT_LDADD) $(CBOR_LIBS) $(JANSSON_LIBS)
endif

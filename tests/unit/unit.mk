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

UNIT_TESTS += test_checksum
test_checksum_SOURCES = tests/unit/test_checksum.c tests/unit/unit.h
test_checksum_CPPFLAGS = $(UNIT_CPPFLAGS)
test_checksum_LDADD = $(UNIT_LDADD)

UNIT_TESTS += test_segment
test_segment_SOURCES = tests/unit/test_segment.c tests/unit/segment_frames.h \
	tests/unit/unit.h
test_segment_CPPFLAGS = $(UNIT_CPPFLAGS)
test_segment_LDADD = $(UNIT_LDADD)

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

if BUILD_RSTDIAG
UNIT_TESTS += test_rstdiag
test_rstdiag_SOURCES = tests/unit/test_rstdiag.c tests/unit/unit.h
test_rstdiag_CPPFLAGS = $(UNIT_CPPFLAGS)
test_rstdiag_LDADD = $(UNIT_LDADD) $(CBOR_LIBS) $(JANSSON_LIBS)

UNIT_TESTS += test_rstdiag_codes
test_rstdiag_codes_SOURCES = tests/unit/test_rstdiag_codes.c tests/unit/unit.h
test_rstdiag_codes_CPPFLAGS = $(UNIT_CPPFLAGS)
test_rstdiag_codes_LDADD = $(UNIT_LDADD)
endif
EXTRA_DIST += \
	tests/data/rstdiag/README.md \
	tests/data/rstdiag/packets.txt \
	tests/data/rstdiag/payloads.txt

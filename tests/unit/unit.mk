# SPDX-License-Identifier: MIT
# One program per room of common/.

UNIT_TESTS += test_base
test_base_SOURCES = tests/unit/test_base.c
test_base_CPPFLAGS = $(UNIT_CPPFLAGS)
test_base_LDADD = $(UNIT_LDADD)

UNIT_TESTS += test_segment
test_segment_SOURCES = tests/unit/test_segment.c tests/unit/unit.h
test_segment_CPPFLAGS = $(UNIT_CPPFLAGS)
test_segment_LDADD = $(UNIT_LDADD)

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

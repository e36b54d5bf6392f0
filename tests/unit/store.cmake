# SPDX-License-Identifier: Apache-2.0
frameq_unit(record frameq_broker PkgConfig::JANSSON PkgConfig::MSGPACK)
frameq_unit(store frameq_broker PkgConfig::SQLITE)
frameq_unit(store_activity frameq_broker PkgConfig::SQLITE)
frameq_unit(store_asks frameq_broker PkgConfig::SQLITE)
frameq_unit(store_compact core_farm frameq_broker PkgConfig::SQLITE
  PkgConfig::JANSSON)
frameq_unit(store_faults frameq_broker PkgConfig::SQLITE)
frameq_unit(store_forget frameq_broker PkgConfig::SQLITE)
frameq_unit(store_kill frameq_broker PkgConfig::SQLITE)
frameq_unit(store_pack frameq_broker PkgConfig::SQLITE)
# The test says how much room a disk has.
target_link_options(test_store_faults PRIVATE
  -Wl,--wrap=statvfs,--wrap=posix_fallocate)
# The longest of all under a sanitizer: it begins first. Its threads do what those
# of the other tests of the store do, a thousand times.
set_tests_properties(unit/store_faults PROPERTIES TIMEOUT 300 COST 100
  LABELS unit)

# SPDX-License-Identifier: Apache-2.0
frameq_unit(feed frameq_broker PkgConfig::JANSSON)
frameq_unit(artifacts frameq_broker PkgConfig::SQLITE)
frameq_unit(blobs frameq_broker PkgConfig::SODIUM)
frameq_unit(headers frameq_broker)
frameq_unit(hook_gate frameq_broker)
frameq_unit(jobspec frameq_broker)
frameq_unit(keys frameq_broker PkgConfig::ZMQ)
frameq_unit(link frameq_broker PkgConfig::CZMQ PkgConfig::ZMQ)
frameq_unit(picture_file frameq_broker)
frameq_unit(publisher frameq_broker PkgConfig::CZMQ PkgConfig::ZMQ)
frameq_unit(ration frameq_broker)
frameq_unit(route frameq_broker)
frameq_unit(s3_sign frameq_broker)
frameq_unit(site frameq_http)
frameq_unit(view frameq_broker)
frameq_unit(feed_view core_farm frameq_broker PkgConfig::JANSSON)

# The HTTP face against a ledger and a feed of the test's own.
foreach(name hooks http_guard http_door http_classic http_jobs http_frames http_logs http_farm
    http_events http_backup)
  frameq_unit(${name} frameq_broker)
  target_sources(test_${name} PRIVATE ${CMAKE_CURRENT_LIST_DIR}/broker_world.c)
endforeach()

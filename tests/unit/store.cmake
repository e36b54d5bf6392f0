# SPDX-License-Identifier: Apache-2.0
frameq_unit(record frameq_broker PkgConfig::JANSSON PkgConfig::MSGPACK)
frameq_unit(store frameq_broker PkgConfig::SQLITE)

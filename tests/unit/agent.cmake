frameq_unit(msg frameq_wire PkgConfig::JANSSON PkgConfig::MSGPACK)

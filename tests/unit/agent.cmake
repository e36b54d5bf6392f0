# SPDX-License-Identifier: Apache-2.0
frameq_unit(msg frameq_wire PkgConfig::JANSSON PkgConfig::MSGPACK)
frameq_unit(slots frameq_slots frameq_wire)
frameq_unit(slots_orders frameq_slots frameq_wire)
frameq_unit(agent_timing frameq_slots)
frameq_unit(node_reply frameq_agent_parts)
frameq_unit(journal frameq_agent_parts)
frameq_unit(proof frameq_agent_parts frameq_app)
target_compile_definitions(test_proof PRIVATE
  PICTURES="${CMAKE_CURRENT_LIST_DIR}/pictures")
frameq_unit(node_client frameq_agent_parts frameq_app)
frameq_unit(agent_farm frameq_agent_parts frameq_app)
frameq_unit(agent_link frameq_agent_parts frameq_app PkgConfig::CZMQ)
frameq_unit(transfer frameq_agent_parts frameq_http frameq_transfer
  PkgConfig::GNUTLS)

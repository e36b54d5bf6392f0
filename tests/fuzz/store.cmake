# SPDX-License-Identifier: Apache-2.0
frameq_fuzz(record frameq_broker)

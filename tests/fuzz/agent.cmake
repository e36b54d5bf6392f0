# SPDX-License-Identifier: Apache-2.0
frameq_fuzz(msg frameq_wire)

# SPDX-License-Identifier: Apache-2.0
frameq_fuzz(frames frameq_common)
frameq_fuzz(fields frameq_app)
frameq_fuzz(accept frameq_http)
frameq_fuzz(target frameq_http PkgConfig::MHD)

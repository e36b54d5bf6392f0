# SPDX-License-Identifier: Apache-2.0
# Services and completion, and the Debian package: `cpack -G DEB` in a build folder.
install(FILES deploy/systemd/frameq-broker.service
              deploy/systemd/frameq-agent.service
        DESTINATION lib/systemd/system)
install(FILES deploy/systemd/frameq.sysusers
        DESTINATION lib/sysusers.d RENAME frameq.conf)
install(FILES cli/completion/frameq.bash
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
        RENAME frameq)
install(FILES cli/completion/frameq.zsh
        DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions
        RENAME _frameq)
install(FILES cli/completion/frameq.fish
        DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
install(DIRECTORY deploy/grafana deploy/prometheus docs/examples/
        DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_VENDOR frameq)
set(CPACK_PACKAGE_CONTACT "The frameq maintainers")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY ${PROJECT_DESCRIPTION})
set(CPACK_PACKAGE_DESCRIPTION
"A broker takes render requests over HTTP and hands their frames to agents, each
beside a node that runs Blender. Every finished frame is proven whole before it
counts, and every accepted job survives a crash.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION graphics)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "systemd | systemd-standalone-sysusers")
# What a render machine needs and a broker's does not, but for movies.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS
    "blender, bubblewrap, ffmpeg, libgl1-mesa-dri")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    ${PROJECT_SOURCE_DIR}/deploy/debian/postinst
    ${PROJECT_SOURCE_DIR}/deploy/debian/prerm)
include(CPack)

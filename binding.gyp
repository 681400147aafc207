{
  "targets": [
    {
      "target_name": "vipd",
      "sources": [
        "native/addon.cc",
        "native/address_news.cc",
        "native/convert.cc",
        "native/convert_gaps.cc",
        "native/core.cc",
        "native/core_events.cc",
        "native/core_object.cc",
        "native/datagrams.cc",
        "native/egress.cc",
        "native/engine.cc",
        "native/engine_carrier.cc",
        "native/engine_object.cc",
        "native/files_object.cc",
        "native/host_files.cc",
        "native/lasting_thread.cc",
        "native/filter_gate.cc",
        "native/inquiry.cc",
        "native/lock.cc",
        "native/memberships.cc",
        "native/memory.cc",
        "native/netlink.cc",
        "native/netlink_thread.cc",
        "native/plan.cc",
        "native/programs.cc",
        "native/realtime.cc",
        "native/senses.cc",
        "native/signals.cc",
        "native/sockets.cc",
        "native/spawn.cc",
        "native/step_carrier.cc",
        "native/step_queue.cc",
        "native/supervisor.cc",
        "native/warden_port.cc",
        "native/warden_wire.cc",
        "native/watched_socket.cc"
      ],
      "include_dirs": ["<!@(node -p \"require('node-addon-api').include\")"],
      "defines": ["NAPI_VERSION=8", "NAPI_CPP_EXCEPTIONS", "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"],
      "cflags": ["-O2", "-Wall", "-Wextra", "-Werror", "-fvisibility=hidden"],
      "cflags!": ["-fno-exceptions", "-O3"],
      "cflags_cc!": ["-fno-exceptions", "-fno-rtti", "-std=gnu++17", "-O3"],
      "cflags_cc": ["-std=c++20", "-fexceptions", "-fvisibility-inlines-hidden"]
    },
    {
      "target_name": "vipd-warden",
      "type": "executable",
      "sources": [
        "native/carrier.cc",
        "native/datagrams.cc",
        "native/netlink.cc",
        "native/plan.cc",
        "native/signals.cc",
        "native/sockets.cc",
        "native/step_carrier.cc",
        "native/step_queue.cc",
        "native/warden.cc",
        "native/warden_wire.cc"
      ],
      "cflags": ["-O2", "-Wall", "-Wextra", "-Werror"],
      "cflags!": ["-O3"],
      "cflags_cc!": ["-fno-rtti", "-std=gnu++17", "-O3"],
      "cflags_cc": ["-std=c++20"]
    },
    {
      "target_name": "vipd-prober",
      "type": "executable",
      "sources": ["native/prober.cc"],
      "cflags": ["-O2", "-Wall", "-Wextra", "-Werror"],
      "cflags!": ["-O3"],
      "cflags_cc!": ["-fno-rtti", "-std=gnu++17", "-O3"],
      "cflags_cc": ["-std=c++20"]
    }
  ]
}

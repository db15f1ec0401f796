void f() { std::thread([] {}).detach(); }

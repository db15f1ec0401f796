/// @errors Errc::auth_required where nobody is signed in.

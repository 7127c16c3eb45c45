import { render } from 'preact';
import { followAddress } from './store/place.ts';
import { followToken } from './store/page.ts';
import { followTheme } from './store/theme.ts';
import { App } from './views/app.tsx';

followTheme();
followToken();
followAddress();
const page = document.getElementById('page');
if (page !== null) render(<App />, page);
